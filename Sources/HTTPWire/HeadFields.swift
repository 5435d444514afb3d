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
            .xRequestTimeout, .grpcTimeout, .xSluice, .xSluicePriority, .serverTiming,
            .xAccelBuffering, .retryAfter, .retryAfterMs, .contentType, .contentEncoding,
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

/// The meaning of a head's fields, gathered line by line.
struct HeadFields {
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

    /// Takes one field line; returns it as it is to be kept in the table.
    @inline(__always)
    mutating func take(
        _ field: Field, of bytes: Span<UInt8>, limits: Limits
    ) throws(WireError) -> Field {
        count += 1
        guard field.name != .other else { return field }
        names.insert(field.name)
        var kept = field
        let value = bytes.part(field.valueRange)
        switch field.name {
        case .host:
            guard host == nil else { throw .badHost }
            host = field.valueRange
        case .contentLength:
            if try framing.addContentLength(value) { kept.isHopByHop = true }
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
        return kept
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

    /// Marks every field that is named by `option`. At most `connectionOptionsMax` calls of at
    /// most `fieldsMax` comparisons each.
    private func mark(_ option: Span<UInt8>, in table: inout FieldTable, of bytes: Span<UInt8>) {
        let name = FieldName.classify(option)
        guard !name.isHopByHop, !name.resistsConnectionOption else { return }
        for i in 0..<table.count where table[i].name == name {
            guard name != .other || bytes.part(table[i].nameRange).equalsIgnoringCase(option)
            else { continue }
            table.markHopByHop(at: i)
        }
    }

    private mutating func takeOptions(
        _ value: Span<UInt8>, limits: Limits
    ) throws(WireError) {
        var cursor = 0
        while let element = value.nextListElement(&cursor) {
            options += 1
            guard options <= limits.connectionOptionsMax else { throw .tooManyFields }
            let option = value.extracting(element)
            if option.equalsIgnoringCase("keep-alive") {
                saysKeepAlive = true
            } else if option.equalsIgnoringCase("close") {
                saysClose = true
            } else if option.equalsIgnoringCase("upgrade") {
                saysUpgrade = true
            } else {
                namesFields = true
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
