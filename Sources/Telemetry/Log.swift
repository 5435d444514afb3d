// The operator's log: what happened to the gateway itself, one readable line per event.

/// How much an event matters.
package enum LogLevel: UInt8, Comparable, CaseIterable, Sendable {
    case debug
    case info
    case warning
    case error

    /// Orders levels by weight.
    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        left.rawValue < right.rawValue
    }

    var text: String {
        switch self {
        case .debug: "debug"
        case .info: "info"
        case .warning: "warning"
        case .error: "error"
        }
    }
}

/// Writes lines like
/// `2026-03-01T09:30:00.125Z info pool.sales replica 10.0.0.1:5000 ready (probe passed)`.
///
/// The clock and the place to write to are given from outside. Never log bodies or credentials.
package struct Log: Sendable {
    /// Longest line in bytes, newline included; what is longer is cut and ends in `…`.
    package static let lineBytesMax = 4_096

    private let minimum: LogLevel
    private let now: @Sendable () -> UInt64
    private let sink: @Sendable (String) -> Void

    /// Makes a log.
    ///
    /// - Parameters:
    ///   - minimum: Events below this level are left out.
    ///   - now: The wall clock, in nanoseconds since 1970-01-01 UTC.
    ///   - sink: Takes one line with its newline; called on the logging thread.
    package init(
        minimum: LogLevel = .info,
        now: @escaping @Sendable () -> UInt64,
        sink: @escaping @Sendable (String) -> Void
    ) {
        self.minimum = minimum
        self.now = now
        self.sink = sink
    }

    /// Logs one event at `level`.
    ///
    /// - Parameters:
    ///   - level: How much it matters.
    ///   - subject: What it is about, from the general to the special: `pool.sales`.
    ///   - message: What happened, in a few words; not evaluated below the minimum level.
    ///   - values: Numbers and names to search for, written as `key=value`.
    package func write(
        _ level: LogLevel,
        _ subject: String,
        _ message: @autoclosure () -> String,
        _ values: KeyValuePairs<String, String> = [:]
    ) {
        guard level >= minimum else {
            return
        }
        var line = Timestamp(nanoseconds: now()).text
        line += " \(level.text) \(Self.plain(subject)) \(Self.plain(message()))"
        for (key, value) in values {
            line += " \(key)=\(Self.quoted(value))"
        }
        sink(Self.cut(line) + "\n")
    }

    /// Logs what only somebody who looks for a fault wants to see.
    package func debug(
        _ subject: String,
        _ message: @autoclosure () -> String,
        _ values: KeyValuePairs<String, String> = [:]
    ) {
        write(.debug, subject, message(), values)
    }

    /// Logs what goes its usual way.
    package func info(
        _ subject: String,
        _ message: @autoclosure () -> String,
        _ values: KeyValuePairs<String, String> = [:]
    ) {
        write(.info, subject, message(), values)
    }

    /// Logs what needs a look but was dealt with.
    package func warning(
        _ subject: String,
        _ message: @autoclosure () -> String,
        _ values: KeyValuePairs<String, String> = [:]
    ) {
        write(.warning, subject, message(), values)
    }

    /// Logs what did not work and needs somebody.
    package func error(
        _ subject: String,
        _ message: @autoclosure () -> String,
        _ values: KeyValuePairs<String, String> = [:]
    ) {
        write(.error, subject, message(), values)
    }

    /// One line's worth of text: control characters are spelled out, so that nothing from outside
    /// can begin a line of its own.
    private static func plain(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isControl) else {
            return text
        }
        var result = ""
        for scalar in text.unicodeScalars {
            if isControl(scalar) {
                result += scalar.escaped(asASCII: true)
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// A value as it is, or in quotes when it is empty or has spaces, quotes or an equals sign.
    private static func quoted(_ value: String) -> String {
        let text = plain(value)
        let needsQuotes = text.isEmpty || text.utf8.contains { " \"=".utf8.contains($0) }
        guard needsQuotes else {
            return text
        }
        var result = "\""
        for character in text {
            result += character == "\"" ? "\\\"" : String(character)
        }
        return result + "\""
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            || scalar.value == 0x2028 || scalar.value == 0x2029
    }

    private static func cut(_ line: String) -> String {
        let ending = "…"
        let limit = lineBytesMax - 1
        guard line.utf8.count > limit else {
            return line
        }
        var end = line.utf8.index(line.startIndex, offsetBy: limit - ending.utf8.count)
        while end > line.startIndex, end.samePosition(in: line.unicodeScalars) == nil {
            end = line.utf8.index(before: end)
        }
        return line[..<end] + ending
    }
}
