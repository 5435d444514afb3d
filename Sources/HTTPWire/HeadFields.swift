// What the fields of a head mean to a gateway: framing, connection options, and what goes on.

extension FieldName {
    /// Whether the field is about one connection and never forwarded (RFC 9110 §7.6.1).
    var isHopByHop: Bool {
        switch self {
        case .connection, .keepAlive, .proxyConnection, .te, .trailer, .transferEncoding,
            .upgrade, .http2Settings, .proxyAuthenticate, .proxyAuthenticationInfo,
            .proxyAuthorization:
            true
        default: false
        }
    }

    /// Whether a Connection option of this name has no effect: framing, Host, and what sluice
    /// itself sets or acts on cannot be stripped by a peer (RFC 9110 §7.6.1).
    var resistsConnectionOption: Bool {
        switch self {
        case .host, .contentLength, .transferEncoding, .via, .date, .maxForwards, .expect,
            .forwarded, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xForwardedPort,
            .xForwardedPrefix, .xRealIP, .xRequestID, .traceparent, .tracestate,
            .xRequestTimeout, .grpcTimeout, .xSluice, .xSluicePriority, .xClientCert,
            .serverTiming, .xAccelBuffering, .retryAfter, .retryAfterMs, .contentType,
            .contentEncoding,
            .contentRange, .setCookie, .cacheControl:
            true
        default: false
        }
    }

    /// Whether the field may stand in trailers that are passed on: it must not frame, route,
    /// authenticate or direct anything, and sluice cannot know that of a name it acts on
    /// (RFC 9110 §6.5.1).
    var isAllowedInTrailers: Bool {
        self == .other || self == .serverTiming
    }
}

/// The fields of one head: read line by line, understood as they come.
struct HeadFields {
    /// A Host means something in requests only.
    private let isRequest: Bool
    private var lines: FieldLines
    private(set) var framing = FramingFields()
    /// Field lines so far.
    private(set) var count = 0
    private(set) var names = FieldNameSet()
    private(set) var host: ByteRange?
    private(set) var upgrade: ByteRange?
    private(set) var asksForContinue = false
    private(set) var asksForUnknown = false
    private(set) var isEventStream = false
    private(set) var saysClose = false
    private(set) var saysKeepAlive = false
    private(set) var saysUpgrade = false
    /// Connection options so far, and whether any is the name of a field.
    private var options = 0
    private var namesFields = false

    /// Reads from the offset of the first field line's first byte.
    init(at start: Int, isRequest: Bool) {
        lines = FieldLines(at: start)
        self.isRequest = isRequest
    }

    /// Offset behind what was read: the head's length, once it is whole.
    var end: Int { lines.cursor }

    /// Goes on as far as the bytes reach; true at the head's end.
    ///
    /// `isRecording` says whether the fields go into `table`.
    mutating func advance(
        _ bytes: Span<UInt8>,
        limits: Limits,
        into table: inout FieldTable,
        isRecording: Bool
    ) throws(WireError) -> Bool {
        guard try readLines(bytes, limits: limits, into: table.room, isRecording: isRecording)
        else { return false }
        if isRecording { table.close(count: count, names: names) }
        return true
    }

    private mutating func readLines(
        _ bytes: Span<UInt8>,
        limits: Limits,
        into room: consuming MutableSpan<Field>,
        isRecording: Bool
    ) throws(WireError) -> Bool {
        let countMax = min(limits.fieldsMax, room.count)
        var field = Field()
        while true {
            switch try lines.next(bytes, into: &field) {
            case .incomplete: return false
            case .end: return true
            case .field:
                guard count < countMax else { throw .tooManyFields }
                try take(&field, of: bytes, limits: limits)
                if isRecording { room[count] = field }
                count += 1
            }
        }
    }

    /// Whether the connection is to be kept after this message (RFC 9112 §9.3).
    func keepsAlive(_ version: Version) -> Bool {
        !saysClose && (version == .http11 || saysKeepAlive)
    }

    /// Marks in `table` the fields that Connection options name; call once, at the head's end.
    func markNamedFields(in table: inout FieldTable, of bytes: Span<UInt8>) {
        guard namesFields else { return }
        for line in 0..<table.count where table[line].name == .connection {
            let value = bytes.part(table[line].valueRange)
            var cursor = 0
            while let element = value.nextListElement(&cursor) {
                mark(value.extracting(element), in: &table, of: bytes)
            }
        }
    }

    /// Marks every field that is named by `option`.
    ///
    /// There are at most `connectionOptionsMax` calls of at most `fieldsMax` comparisons each.
    private func mark(_ option: Span<UInt8>, in table: inout FieldTable, of bytes: Span<UInt8>) {
        let name = FieldName.classify(option)
        guard !name.isHopByHop, !name.resistsConnectionOption else { return }
        for i in 0..<table.count where table[i].name == name {
            guard name != .other || bytes.part(table[i].nameRange).equalsIgnoringCase(option)
            else { continue }
            table.markHopByHop(at: i)
        }
    }

    /// Takes one field line; leaves it as it is to be kept in the table.
    @inline(__always)
    private mutating func take(
        _ field: inout Field,
        of bytes: Span<UInt8>,
        limits: Limits
    ) throws(WireError) {
        guard field.name != .other else { return }
        names.insert(field.name)
        let value = bytes.part(field.valueRange)
        switch field.name {
        case .host:
            if isRequest { try checkHost(value) }
            host = field.valueRange
        case .contentLength:
            if try framing.addContentLength(value) { field.isHopByHop = true }
        case .transferEncoding:
            try framing.addTransferEncoding(value)
        case .connection:
            try takeOptions(value, limits: limits)
        case .upgrade:
            if upgrade == nil { upgrade = field.valueRange }
        case .expect:
            takeExpectation(value)
        case .contentType:
            isEventStream = value.isEventStream
        default:
            break
        }
    }

    /// One Host, and a valid one (RFC 9112 §3.2).
    private func checkHost(_ value: Span<UInt8>) throws(WireError) {
        guard host == nil else { throw .badHost }
        guard !value.isEmpty else { throw .missingHost }
        guard value.isAuthority(needsPort: false) else { throw .badHost }
    }

    private mutating func takeOptions(
        _ value: Span<UInt8>,
        limits: Limits
    ) throws(WireError) {
        var cursor = 0
        while let element = value.nextListElement(&cursor) {
            options += 1
            guard options <= limits.connectionOptionsMax else { throw .tooManyFields }
            let option = value.extracting(element)
            switch FieldName.classify(option) {
            case .keepAlive: saysKeepAlive = true
            case .upgrade: saysUpgrade = true
            case .other where option.equalsIgnoringCase("close"): saysClose = true
            default: namesFields = true
            }
        }
    }

    private mutating func takeExpectation(_ value: Span<UInt8>) {
        if value.equalsIgnoringCase("100-continue") {
            asksForContinue = true
        } else {
            asksForUnknown = true
        }
    }
}

extension Span<UInt8> {
    /// Whether the value of Content-Type is `text/event-stream`, whatever its parameters.
    fileprivate var isEventStream: Bool {
        // 17 letters.
        guard count >= 17, extracting(0..<17).equalsIgnoringCase("text/event-stream") else {
            return false
        }
        return count == 17 || self[17] == ByteClass.semicolon || ByteClass.isBlank(self[17])
    }
}
