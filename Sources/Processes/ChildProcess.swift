// One running process: its group, its output and its end.

/// A started process, owned by the supervisor's thread.
final class ChildProcess {
    /// Most bytes read from one process per tick of 100 ms, 4 MiB/s.
    ///
    /// Beyond that the process waits in its own write: neither our time nor our memory is its to
    /// take.
    static let readBytesPerTick = 400 << 10

    let number: Int
    let name: String
    /// Also the number of its process group.
    let pid: Int32
    let port: Int
    let startedAt: Duration
    /// How the process itself ended, once it has; others of its group may still run.
    private(set) var status: ExitStatus?

    private let ended: Descriptor
    private let output: Descriptor
    private var lines: OutputLines
    private var isOutputOpen = true
    private var readAllowance = ChildProcess.readBytesPerTick

    /// Starts the process.
    ///
    /// Only for a thread that outlives it.
    init(
        slot: ProcessPlan.Slot,
        port: Int,
        options: ProcessOptions,
        guardedBy processGuard: ProcessGuard,
        now: Duration
    ) throws(ProcessError) {
        number = slot.number
        name = "\(options.name)-\(slot.number)"
        self.port = port
        startedAt = now
        let pipe = try System.makeOutputPipe()
        output = Descriptor(pipe.reader)
        let writer = Descriptor(pipe.writer)
        pid = try System.spawn(
            options.command.map { Self.replacePort(in: $0, by: port) },
            environment: options.environment.merging(["PORT": String(port)]) { $1 },
            output: writer,
            guardedBy: processGuard.socket
        )
        ended = System.pidDescriptor(pid)
        lines = OutputLines(tag: name, options: options, now: now)
    }

    /// Readable when the process has ended; nil on kernels before 5.3.
    var endedDescriptor: Int32? {
        ended.ifAny
    }

    /// The descriptor to read output from now; nil when it has ended or had its share.
    var outputToRead: Int32? {
        isOutputOpen && readAllowance > 0 ? output.raw : nil
    }

    /// Whether output waits for the next tick.
    var isHeldBack: Bool {
        isOutputOpen && readAllowance <= 0
    }

    /// Output lines not passed on since the start.
    var linesLeftOut: UInt64 {
        lines.leftOut
    }

    /// A new tick of 100 ms begins.
    func renewAllowance() {
        readAllowance = Self.readBytesPerTick
    }

    /// Reads output once.
    func readOutput(into buffer: inout [UInt8], now: Duration, emit: (String) -> Void) {
        guard let count = System.read(output, into: &buffer) else {
            return
        }
        guard count > 0 else {
            isOutputOpen = false
            lines.finish(emit: emit)
            return
        }
        readAllowance -= count
        lines.append(buffer.span.extracting(first: count), now: now, emit: emit)
    }

    /// Collects what has ended: the process itself and, when we are process 1 of a container and
    /// they fell to us, those of its group that it left behind.
    func reap() {
        if status == nil {
            status = System.reap(pid)
        }
        // The process itself comes out of this only when it ended since the line above.
        while let (ended, how) = System.reap(group: pid) {
            status = ended == pid ? how : status
        }
    }

    /// Whether the process has ended and nobody of its group is left.
    var isGone: Bool {
        status != nil && !System.groupRuns(pid)
    }

    /// Signals the whole group, as systemd does: a shell or a master does not always pass it on.
    func signal(_ signal: Int32) {
        if !System.signalGroup(pid, signal), status == nil {
            // It left its group. Not collected yet, so the number is still its own.
            System.signal(pid, signal)
        }
    }

    /// Reads what the ended process left in its pipe, and closes the matter.
    func finishOutput(into buffer: inout [UInt8], now: Duration, emit: (String) -> Void) {
        renewAllowance()
        while isOutputOpen, readAllowance > 0 {
            let before = readAllowance
            readOutput(into: &buffer, now: now, emit: emit)
            if readAllowance == before {
                break
            }
        }
        if isOutputOpen {
            isOutputOpen = false
            lines.finish(emit: emit)
        }
    }

    /// `argument` with each `$PORT` replaced; `$PORTAL` and other names stay.
    static func replacePort(in argument: String, by port: Int) -> String {
        var result = ""
        var rest = argument[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            let after = rest.dropFirst("$PORT".count).first
            let endsName = after.map { !($0.isLetter || $0.isNumber || $0 == "_") } ?? true
            if rest.hasPrefix("$PORT"), endsName {
                result += String(port)
                rest = rest.dropFirst("$PORT".count)
            } else {
                result += "$"
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }
}
