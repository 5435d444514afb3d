// The access log: one JSON object a line, formatted on the loop that served the exchange and
// handed to a writer elsewhere.

/// The facts of one exchange that are not text from outside.
package struct AccessLogRecord: Sendable {
    /// When the request arrived, in nanoseconds since 1970-01-01 UTC.
    package var time: UInt64
    /// The status the client got; 499 when it left before any.
    package var status: UInt16
    /// Body bytes received from the client.
    package var bytesIn: UInt64
    /// Body bytes sent to the client.
    package var bytesOut: UInt64
    /// The pool's name; empty, and written as `null`, when there was none.
    package var pool: String
    /// The route's name; empty, and written as `null`, when none matched.
    package var route: String
    /// The endpoint of the last attempt; empty, and written as `null`, when there was none.
    package var replica: String
    /// Attempts at replicas, the successful one included.
    package var attempts: Int
    /// Time spent in the queue; nil if it did not come to that.
    package var queue: Duration?
    /// Time spent connecting; nil for a reused connection.
    package var connect: Duration?
    /// From the lease to the answer's first byte; nil if none came.
    package var ttfb: Duration?
    /// From the request's arrival to the end of the exchange.
    package var total: Duration
    /// Why it ended.
    package var reason: Reason

    /// Makes a record; the defaults are those of an exchange that never reached a pool.
    package init(
        time: UInt64,
        status: UInt16,
        reason: Reason,
        total: Duration,
        bytesIn: UInt64 = 0,
        bytesOut: UInt64 = 0,
        pool: String = "",
        route: String = "",
        replica: String = "",
        attempts: Int = 0,
        queue: Duration? = nil,
        connect: Duration? = nil,
        ttfb: Duration? = nil
    ) {
        self.time = time
        self.status = status
        self.reason = reason
        self.total = total
        self.bytesIn = bytesIn
        self.bytesOut = bytesOut
        self.pool = pool
        self.route = route
        self.replica = replica
        self.attempts = attempts
        self.queue = queue
        self.connect = connect
        self.ttfb = ttfb
    }
}

/// Formats access log lines, one at a time, into memory it keeps.
///
/// Each loop has its own; after the first few lines none of this allocates.
package struct AccessLogLine: Sendable {
    /// Longest target in bytes; what is longer is cut and ends in `…`.
    package static let targetBytesMax = 2_048
    /// Longest of the other texts in bytes; what is longer is cut and ends in `…`.
    package static let textBytesMax = 256

    /// The line last written, with its newline.
    package private(set) var bytes: [UInt8] = []

    /// Starts without memory.
    package init() {}

    /// Replaces `bytes` by the line of one exchange.
    ///
    /// The texts are taken as they came from outside: they are cut, escaped, and repaired where
    /// they are not UTF-8. Empty ones are written as `null`. `target` comes without its query
    /// unless that is wanted; `client` is the client's address.
    package mutating func write(
        _ record: AccessLogRecord,
        method: Span<UInt8>,
        target: Span<UInt8>,
        requestID: Span<UInt8>,
        traceID: Span<UInt8>,
        client: Span<UInt8>
    ) {
        let textBytes =
            method.count + requestID.count + traceID.count + client.count
            + record.pool.utf8.count + record.route.utf8.count + record.replica.utf8.count
        let bound =
            Self.fixedBytesMax + JSONText.growthMax
            * (min(target.count, Self.targetBytesMax) + min(textBytes, 7 * Self.textBytesMax))

        bytes.removeAll(keepingCapacity: true)
        bytes.append(addingCapacity: bound) { output in
            JSONText.write("{\"time\":\"", into: &output)
            Timestamp(nanoseconds: record.time).write(into: &output)
            JSONText.write("\"", into: &output)
            Self.write(.method, method, into: &output)
            Self.write(.target, target, bytesMax: Self.targetBytesMax, into: &output)
            Self.write(.status, UInt64(record.status), into: &output)
            Self.write(.bytesIn, record.bytesIn, into: &output)
            Self.write(.bytesOut, record.bytesOut, into: &output)
            Self.write(.pool, record.pool.utf8.span, into: &output)
            Self.write(.route, record.route.utf8.span, into: &output)
            Self.write(.replica, record.replica.utf8.span, into: &output)
            Self.write(.attempts, UInt64(clamping: record.attempts), into: &output)
            Self.write(.queueMs, milliseconds: record.queue, into: &output)
            Self.write(.connectMs, milliseconds: record.connect, into: &output)
            Self.write(.ttfbMs, milliseconds: record.ttfb, into: &output)
            Self.write(.totalMs, milliseconds: record.total, into: &output)
            Self.write(.reason, Reason.texts[Int(record.reason.rawValue)].utf8.span, into: &output)
            Self.write(.requestId, requestID, into: &output)
            Self.write(.traceId, traceID, into: &output)
            Self.write(.client, client, into: &output)
            JSONText.write("}\n", into: &output)
        }
    }

    /// Everything but the texts: 18 keys with punctuation (≤ 15 bytes each), the time, 4 numbers,
    /// 4 durations, the reason, and 8 × `…`; 270 + 24 + 80 + 96 + 16 + 24 = 510.
    private static let fixedBytesMax = 640

    /// The fields after the time, named as in the line.
    private enum Key: Int, CaseIterable {
        case method, target, status, bytesIn, bytesOut, pool, route, replica, attempts
        case queueMs, connectMs, ttfbMs, totalMs, reason, requestId, traceId, client
    }

    /// `,"method":` and so on, by raw value: made once, since short strings are slow to copy.
    private static let keys: [[UInt8]] = Key.allCases.map { Array(",\"\($0)\":".utf8) }

    private static func writeKey(_ key: Key, into output: inout OutputSpan<UInt8>) {
        let text = keys[key.rawValue]
        JSONText.write(text.span, into: &output)
    }

    private static func write(
        _ key: Key,
        _ value: UInt64,
        into output: inout OutputSpan<UInt8>
    ) {
        writeKey(key, into: &output)
        JSONText.write(value, into: &output)
    }

    private static func write(
        _ key: Key,
        milliseconds: Duration?,
        into output: inout OutputSpan<UInt8>
    ) {
        writeKey(key, into: &output)
        JSONText.write(milliseconds: milliseconds, into: &output)
    }

    private static func write(
        _ key: Key,
        _ text: Span<UInt8>,
        bytesMax: Int = textBytesMax,
        into output: inout OutputSpan<UInt8>
    ) {
        writeKey(key, into: &output)
        if text.isEmpty {
            JSONText.write("null", into: &output)
            return
        }
        output.append(UInt8(ascii: "\""))
        if text.count <= bytesMax {
            JSONText.writeEscaped(text, into: &output)
        } else {
            JSONText.writeEscaped(text.extracting(first: cut(text, to: bytesMax)), into: &output)
            JSONText.write("…", into: &output)
        }
        output.append(UInt8(ascii: "\""))
    }

    /// Where to cut so that no UTF-8 sequence is split: at `limit` or up to 3 bytes before.
    private static func cut(_ text: Span<UInt8>, to limit: Int) -> Int {
        var end = limit
        while end > limit - 4, text[end] & 0xC0 == 0x80 {
            end -= 1
        }
        return text[end] & 0xC0 == 0x80 ? limit : end
    }
}
