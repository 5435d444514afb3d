// Request heads off a byte stream: one pass, resumable at any byte, no allocation.

/// Parses the head of one request after the other (RFC 9112 §2, §3, §5).
///
/// ```
///   leading ──token──▶ method ──SP──▶ path ──?──▶ query ──SP──▶ version ──CR LF──▶ fields ──▶ head
///      └ CR LF ┘                        └───────────SP────────────▲
/// ```
///
/// A fault is thrown at the first byte that shows it, and is the same however the bytes arrive.
/// After a throw only `reset` may follow; the connection is to be closed anyway.
package struct RequestParser: Sendable {
    private enum Phase {
        case leading
        case method
        case path
        case query
        case version
        case fields
    }

    private let limits: Limits
    private var phase = Phase.leading
    /// Offset of the next byte to look at, in the phases before `fields`.
    private var cursor = 0
    private var emptyLines = 0
    private var methodStart = 0
    private var methodEnd = 0
    private var methodWord: UInt64 = 0
    private var method = Method.other
    private var targetEnd = 0
    /// Offset of the first `?` in the target, else the target's end.
    private var queryMark = 0
    private var target = RequestTarget.none
    private var version = Version.http11
    private var fields = HeadFields(at: 0, isRequest: true)

    /// A parser at the start of a connection.
    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether a byte of a request was seen, empty lines before it aside.
    ///
    /// A client that stops here is answered with 408; one that stops before is closed silently.
    package var hasStarted: Bool { phase != .leading }

    /// Forgets the request, for the next one on the connection.
    package mutating func reset() {
        self = RequestParser(limits: limits)
    }

    /// Parses the request that begins with the first of `bytes`.
    ///
    /// - Parameters:
    ///   - bytes: Everything received since the last `reset`; only ever longer.
    ///   - table: Filled when a head is returned, and otherwise in no defined state.
    /// - Returns: The head, or nil when more bytes are needed.
    /// - Throws: A `WireError` as soon as the bytes cannot become a request.
    package mutating func parse(
        _ bytes: Span<UInt8>,
        into table: inout FieldTable
    ) throws(WireError) -> RequestHead? {
        // The table is lent: what an earlier call put into it is gone. If there was anything, the
        // head is gone through a second time when it is whole.
        let isResumed = fields.count > 0
        table.removeAll()
        guard try advance(bytes, into: &table, isRecording: !isResumed) else { return nil }
        if isResumed {
            reset()
            guard try advance(bytes, into: &table, isRecording: true) else { return nil }
        }
        fields.markNamedFields(in: &table, of: bytes)
        return try makeHead(bytes)
    }

    /// Goes on as far as the bytes reach; true at the end of the head.
    private mutating func advance(
        _ bytes: Span<UInt8>,
        into table: inout FieldTable,
        isRecording: Bool
    ) throws(WireError) -> Bool {
        let head = bytes.extracting(0..<min(bytes.count, limits.headBytesMax))
        guard try advanceRequestLine(head),
            try fields.advance(head, limits: limits, into: &table, isRecording: isRecording)
        else {
            guard bytes.count < limits.headBytesMax else { throw .headTooLarge }
            return false
        }
        return true
    }

    /// Every phase before the fields; true behind the request line.
    private mutating func advanceRequestLine(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        while true {
            switch phase {
            case .leading: guard try readLeading(bytes) else { return false }
            case .method: guard try readMethod(bytes) else { return false }
            case .path: guard try readPath(bytes) else { return false }
            case .query: guard try readQuery(bytes) else { return false }
            case .version: guard try readVersion(bytes) else { return false }
            case .fields: return true
            }
        }
    }

    /// Skips empty lines, a few of them (RFC 9112 §2.2).
    private mutating func readLeading(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        while cursor < bytes.count, bytes[cursor] == ByteClass.carriageReturn {
            guard emptyLines < limits.leadingEmptyLinesMax else { throw .badRequestLine }
            guard cursor + 1 < bytes.count else { return false }
            guard bytes[cursor + 1] == ByteClass.lineFeed else { throw .badRequestLine }
            cursor += 2
            emptyLines += 1
        }
        guard cursor < bytes.count else { return false }
        // A TLS record of the type "handshake" begins with this byte.
        if bytes[cursor] == 0x16 { throw .looksLikeTLS }
        methodStart = cursor
        phase = .method
        return true
    }

    private mutating func readMethod(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        var i = cursor
        var word = methodWord
        while i < bytes.count, ByteClass.isToken(bytes[i]) {
            word = word << 8 | UInt64(bytes[i])
            i += 1
        }
        cursor = i
        methodWord = word
        guard i - methodStart <= limits.methodBytesMax else { throw .badMethod }
        guard i < bytes.count else { return false }
        guard bytes[i] == ByteClass.space, i > methodStart else { throw .badMethod }
        method = Method(length: i - methodStart, word: word)
        methodEnd = i
        cursor = i + 1
        phase = .path
        return true
    }

    private mutating func readPath(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        let i = bytes.endOfPath(from: cursor)
        cursor = i
        guard i - targetStart <= limits.targetBytesMax else { throw .targetTooLong }
        guard i < bytes.count else { return false }
        queryMark = i
        guard bytes[i] == ByteClass.questionMark else {
            try endTarget(bytes)
            return true
        }
        cursor = i + 1
        phase = .query
        return true
    }

    private mutating func readQuery(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        var i = cursor
        while i < bytes.count, ByteClass.isTarget(bytes[i]) { i += 1 }
        cursor = i
        guard i - targetStart <= limits.targetBytesMax else { throw .targetTooLong }
        guard i < bytes.count else { return false }
        try endTarget(bytes)
        return true
    }

    /// The byte at `cursor` ends the target.
    private mutating func endTarget(_ bytes: Span<UInt8>) throws(WireError) {
        guard bytes[cursor] == ByteClass.space else { throw .badTarget }
        targetEnd = cursor
        target = try RequestTarget(
            bytes,
            target: targetStart..<targetEnd,
            queryMark: queryMark,
            method: method
        )
        cursor += 1
        phase = .version
    }

    /// Reads `HTTP/1.x` and the end of the line.
    ///
    /// These ten bytes are looked at again when they arrive in pieces.
    private mutating func readVersion(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        let line = bytes.extracting(cursor..<min(cursor + 10, bytes.count))
        guard try line.checkVersion(orElse: .badRequestLine) else { return false }
        guard line.count > 8 else { return false }
        guard line[8] == ByteClass.carriageReturn else { throw .badRequestLine }
        guard line.count > 9 else { return false }
        guard line[9] == ByteClass.lineFeed else { throw .badRequestLine }
        version = line[7] == UInt8(ascii: "0") ? .http10 : .http11
        fields = HeadFields(at: cursor + 10, isRequest: true)
        phase = .fields
        return true
    }

    private var targetStart: Int { methodEnd + 1 }

    private func makeHead(_ bytes: Span<UInt8>) throws(WireError) -> RequestHead {
        if version == .http11, fields.host == nil { throw .missingHost }
        let framing = try fields.framing.ofRequest(version)
        let isCurrent = version == .http11
        let host = target.authority.map { ByteRange($0) } ?? fields.host ?? .empty
        return RequestHead(
            method: method,
            methodRange: ByteRange(methodStart..<methodEnd),
            target: ByteRange(targetStart..<targetEnd),
            targetForm: target.form,
            path: ByteRange(target.path),
            query: queryMark < targetEnd ? ByteRange(queryMark + 1..<targetEnd) : nil,
            host: host,
            version: version,
            framing: framing,
            keepAlive: fields.keepsAlive(version),
            expectsContinue: isCurrent && fields.asksForContinue,
            hasUnknownExpectation: isCurrent && fields.asksForUnknown,
            upgrade: isCurrent && fields.saysUpgrade ? fields.upgrade : nil,
            headLength: fields.end,
            sawFields: fields.names
        )
    }
}
