// Response heads off a byte stream: one pass, resumable at any byte, no allocation.

/// Parses the head of one response after the other (RFC 9112 §4, §5).
///
/// ```
///   start ──HTTP/1.x SP status──▶ reason ──CR LF──▶ fields ──▶ head
/// ```
///
/// A fault is thrown at the first byte that shows it, and is the same however the bytes arrive.
/// After a throw only `reset` may follow; the connection is to be closed anyway.
package struct ResponseParser: Sendable {
    private enum Phase {
        case start
        case reason
        case fields
    }

    private let limits: Limits
    private var phase = Phase.start
    /// Offset of the next byte to look at, in the phases before `fields`.
    private var cursor = 0
    private var version = Version.http11
    private var status: UInt16 = 0
    private var reasonEnd = 0
    private var fields = HeadFields(at: 0, isRequest: false)

    /// Bytes of `HTTP/1.x SP status`, and of the SP behind it.
    private static let statusEnd = 12
    private static let reasonStart = 13

    /// A parser at the start of a response.
    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Forgets the response, for the next one: the final one after a 1xx, or the next request's.
    package mutating func reset() {
        self = ResponseParser(limits: limits)
    }

    /// Parses the response that begins with the first of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: Everything received since the last `reset`; only ever longer.
    ///   - method: The method of the request it answers.
    ///   - table: Filled when a head is returned, and otherwise in no defined state.
    /// - Returns: The head, or nil when more bytes are needed.
    /// - Throws: A `WireError` as soon as the bytes cannot become a response.
    package mutating func parse(
        _ bytes: Span<UInt8>,
        answering method: Method,
        into table: inout FieldTable
    ) throws(WireError) -> ResponseHead? {
        // As in `RequestParser.parse`: the table is lent, so a resumed head is read again.
        let isResumed = fields.count > 0
        table.removeAll()
        guard try advance(bytes, into: &table, isRecording: !isResumed) else { return nil }
        if isResumed {
            reset()
            guard try advance(bytes, into: &table, isRecording: true) else { return nil }
        }
        fields.markNamedFields(in: &table, of: bytes)
        return try makeHead(answering: method, table: &table)
    }

    /// Goes on as far as the bytes reach; true at the end of the head.
    private mutating func advance(
        _ bytes: Span<UInt8>,
        into table: inout FieldTable,
        isRecording: Bool
    ) throws(WireError) -> Bool {
        let head = bytes.extracting(0..<min(bytes.count, limits.headBytesMax))
        guard try advanceStatusLine(head),
            try fields.advance(head, limits: limits, into: &table, isRecording: isRecording)
        else {
            guard bytes.count < limits.headBytesMax else { throw .headTooLarge }
            return false
        }
        return true
    }

    private mutating func advanceStatusLine(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        if phase == .start {
            guard try readStatus(bytes) else { return false }
        }
        if phase == .reason {
            guard try readReason(bytes) else { return false }
        }
        return true
    }

    /// Reads `HTTP/1.x SP 3DIGIT` and looks at the byte behind it.
    ///
    /// These thirteen bytes are looked at again when they arrive in pieces.
    private mutating func readStatus(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        let line = bytes.extracting(0..<min(Self.reasonStart, bytes.count))
        guard try line.checkVersion(orElse: .badStatusLine) else { return false }
        guard line.count > 8 else { return false }
        guard line[8] == ByteClass.space else { throw .badStatusLine }
        var number: UInt16 = 0
        for i in 9..<Self.statusEnd {
            guard i < line.count else { return false }
            guard ByteClass.isDigit(line[i]) else { throw .badStatusLine }
            number = number * 10 + UInt16(line[i] - 0x30)
            // The class of a status is 1...5 (RFC 9110 §15).
            guard i > 9 || (1...5).contains(number) else { throw .badStatusLine }
        }
        guard line.count > Self.statusEnd else { return false }
        status = number
        version = line[7] == UInt8(ascii: "0") ? .http10 : .http11
        // The SP may be missing along with the reason: nothing hangs on it.
        cursor = Self.statusEnd
        if line[Self.statusEnd] == ByteClass.space { cursor = Self.reasonStart }
        phase = .reason
        return true
    }

    private mutating func readReason(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        if cursor == Self.statusEnd, bytes[cursor] != ByteClass.carriageReturn {
            throw .badStatusLine
        }
        let i = bytes.endOfFieldValue(from: cursor)
        cursor = i
        guard i < bytes.count else { return false }
        guard bytes[i] == ByteClass.carriageReturn else { throw .badStatusLine }
        guard i + 1 < bytes.count else { return false }
        guard bytes[i + 1] == ByteClass.lineFeed else { throw .badStatusLine }
        reasonEnd = i
        fields = HeadFields(at: i + 2, isRequest: false)
        phase = .fields
        return true
    }

    private func makeHead(
        answering method: Method,
        table: inout FieldTable
    ) throws(WireError) -> ResponseHead {
        let framing = try fields.framing.ofResponse(version, status: status, answering: method)
        if FramingFields.isBodyless(status) {
            // No Content-Length goes on with a 1xx or 204 (RFC 9110 §8.6).
            for i in 0..<table.count where table[i].name == .contentLength {
                table.markHopByHop(at: i)
            }
        }
        let upgrade = fields.saysUpgrade ? fields.upgrade : nil
        // A 101 names the protocol it switches to (RFC 9110 §15.2.2), and is never 1.0.
        if status == 101, upgrade == nil || version == .http10 { throw .badUpgrade }
        let staysFramed = framing != .untilClose && !fields.framing.contradicts(status: status)
        return ResponseHead(
            status: status,
            reason: ByteRange(min(Self.reasonStart, reasonEnd)..<reasonEnd),
            version: version,
            framing: framing,
            keepAlive: staysFramed && fields.keepsAlive(version),
            upgrade: status == 101 ? upgrade : nil,
            headLength: fields.end,
            sawFields: fields.names,
            isEventStream: fields.isEventStream
        )
    }
}

extension Span<UInt8> {
    /// Whether the first eight bytes are there and are `HTTP/1.` and a digit.
    ///
    /// Throws `fault` at the first byte that is not, and `unsupportedVersion` for another major
    /// version (RFC 9110 §15.6.6).
    func checkVersion(orElse fault: WireError) throws(WireError) -> Bool {
        let name: InlineArray<5, UInt8> = [0x48, 0x54, 0x54, 0x50, 0x2f]
        for i in 0..<Swift.min(count, 5) where self[i] != name[i] {
            throw fault
        }
        guard count > 5 else { return false }
        guard ByteClass.isDigit(self[5]) else { throw fault }
        guard self[5] == UInt8(ascii: "1") else { throw .unsupportedVersion }
        guard count > 6 else { return false }
        guard self[6] == UInt8(ascii: ".") else { throw fault }
        guard count > 7 else { return false }
        guard ByteClass.isDigit(self[7]) else { throw fault }
        return true
    }
}
