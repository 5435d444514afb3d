// Cuts a process's output into lines that are safe to log, however much of it there is.

/// Turns the bytes a process writes into tagged lines.
///
/// Bounds: a line's length, and lines per second. While a process writes more than its share, its
/// lines are counted instead of passed on, until a quarter of the burst has come back; then one
/// line says how much is missing. Memory: one line.
struct OutputLines {
    /// What one line costs besides its bytes, so that floods of empty lines are bounded too.
    static let lineCost = 32

    private let tag: String
    private let lineBytesMax: Int
    private let bytesPerSecond: Int
    private let burstBytes: Int

    private var line: [UInt8] = []
    private var isCut = false
    private var endedWithReturn = false
    private var budget: Int
    private var refilledAt: Duration
    private var isMuted = false
    private var missingLines = 0

    /// Lines counted but not passed on since the start.
    private(set) var leftOut: UInt64 = 0

    /// Starts with a full budget.
    init(tag: String, options: ProcessOptions, now: Duration) {
        self.tag = tag
        lineBytesMax = max(1, options.lineBytesMax)
        bytesPerSecond = max(1, options.outputBytesPerSecond)
        burstBytes = max(1, options.outputBurstBytes)
        budget = burstBytes
        refilledAt = now
    }

    /// Takes what was read; `emit` gets each whole line, tagged, without its newline.
    ///
    /// A carriage return ends a line as well: progress bars write no newline for minutes.
    mutating func append(_ bytes: Span<UInt8>, now: Duration, emit: (String) -> Void) {
        refill(now: now)
        for index in bytes.indices {
            let byte = bytes[index]
            switch byte {
            case UInt8(ascii: "\n") where endedWithReturn:
                endedWithReturn = false
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                endedWithReturn = byte == UInt8(ascii: "\r")
                endLine(emit: emit)
            default:
                endedWithReturn = false
                if line.count < lineBytesMax {
                    line.append(byte)
                } else {
                    isCut = true
                }
            }
        }
    }

    /// The output has ended: passes on a last line without newline, and what is missing.
    mutating func finish(emit: (String) -> Void) {
        if !line.isEmpty {
            endLine(emit: emit)
        }
        reportMissing(emit: emit)
    }

    private mutating func endLine(emit: (String) -> Void) {
        defer {
            line.removeAll(keepingCapacity: true)
            isCut = false
        }
        let cost = line.count + Self.lineCost
        if budget < cost {
            isMuted = true
        }
        guard !isMuted else {
            missingLines += 1
            leftOut += 1
            return
        }
        reportMissing(emit: emit)
        budget -= cost
        emit("[\(tag)] \(text)\(isCut ? " …" : "")")
    }

    private mutating func reportMissing(emit: (String) -> Void) {
        if missingLines > 0 {
            emit("[\(tag)] … \(missingLines) lines left out: too much output")
            missingLines = 0
        }
    }

    private mutating func refill(now: Duration) {
        let elapsed = max(.zero, now - refilledAt)
        let microseconds = Int(clamping: elapsed.attoseconds / 1_000_000_000_000)
        // An hour's pause fills any burst; more would only overflow.
        let gained = min(microseconds, 3_600_000_000).multipliedReportingOverflow(
            by: bytesPerSecond
        )
        budget =
            gained.overflow
            ? burstBytes
            : min(burstBytes, budget + gained.partialValue / 1_000_000)
        refilledAt = now
        if budget >= burstBytes / 4 {
            isMuted = false
        }
    }

    /// The line as text: invalid UTF-8 repaired, control characters but tabs made visible.
    private var text: String {
        let isPlain = line.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == UInt8(ascii: "\t") }
        let decoded = String(decoding: line, as: UTF8.self)
        guard !isPlain else {
            return decoded
        }
        var result = ""
        for scalar in decoded.unicodeScalars {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            result.unicodeScalars.append(isControl && scalar != "\t" ? "\u{FFFD}" : scalar)
        }
        return result
    }
}
