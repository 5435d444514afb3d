// The head that goes to the replica: what is kept, what is replaced, what is added.

internal import HTTPWire
internal import Transport

extension Lane {
    /// Fields that are written anew, or never come from a client.
    private static let replaced: FieldNameSet = [
        .host, .expect, .xForwardedFor, .xForwardedProto, .xForwardedHost, .xRequestID,
        .traceparent, .xRequestTimeout, .via, .xClientCert,
    ]
    /// Besides, from clients that are not trusted (design.md §7).
    private static let untrusted: FieldNameSet = [
        .forwarded, .xForwardedPort, .xForwardedPrefix, .xRealIP, .xSluice, .xSluicePriority,
    ]

    /// Writes the head for the replica into the scratch; returns its length, nil if it is too long.
    func writeUpstreamHead(
        _ head: RequestHead,
        of source: Span<UInt8>,
        for exchange: Exchange,
        _ route: Route,
        from client: ClientConnection
    ) -> Int? {
        var except = Lane.replaced
        if !exchange.isTrusted { except = except.union(Lane.untrusted) }
        let countsForwards = head.method.countsForwards
        if countsForwards { except.insert(.maxForwards) }

        return scratch.write { writer in
            writeRequestLine(head, of: source, route, into: &writer)
            writer.writeField(.host, source.part(head.host))
            writer.forwardFields(of: source, fields, except: except)
            if head.framing.isChunked { writer.writeField(.transferEncoding, "chunked") }
            writeForwarded(head, of: source, for: exchange, from: client, into: &writer)
            writeVia(of: source, into: &writer)
            if countsForwards { writeMaxForwards(of: source, into: &writer) }
            writer.writeField(.xRequestID, exchange.requestID)
            writer.writeField(.traceparent, exchange.traceparent)
            if !exchange.upgrade.isEmpty {
                writer.writeField(.connection, "Upgrade")
                writer.writeField(.upgrade, exchange.upgrade)
            }
            // Last, and of fixed width: each attempt writes over the value.
            writer.writeField(.xRequestTimeout, RemainingTime.blank)
            writer.writeLineEnd()
        }
    }

    private func writeRequestLine(
        _ head: RequestHead,
        of source: Span<UInt8>,
        _ route: Route,
        into writer: inout ByteWriter
    ) {
        guard let rewritten = route.rewrite(source.part(head.path)) else {
            writer.writeRequestLine(head, of: source)
            return
        }
        writer.write(source.part(head.methodRange))
        writer.write(" ")
        writer.write(rewritten.prefix)
        writer.write(source.part(head.path).extracting(rewritten.rest))
        if let query = head.query {
            writer.write("?")
            writer.write(source.part(query))
        }
        writer.write(" HTTP/1.1\r\n")
    }

    private func writeForwarded(
        _ head: RequestHead,
        of source: Span<UInt8>,
        for exchange: Exchange,
        from client: ClientConnection,
        into writer: inout ByteWriter
    ) {
        writer.writeFieldStart(.xForwardedFor)
        if exchange.isTrusted { writeValues(of: .xForwardedFor, source, into: &writer) }
        writer.write(client.host)
        writer.writeLineEnd()
        if exchange.isTrusted, let proto = fields.first(.xForwardedProto) {
            writer.writeField(.xForwardedProto, source.part(proto.valueRange))
        } else {
            writer.writeField(.xForwardedProto, client.socket.isSecure ? "https" : "http")
        }
        if exchange.isTrusted, let host = fields.first(.xForwardedHost) {
            writer.writeField(.xForwardedHost, source.part(host.valueRange))
        } else {
            writer.writeField(.xForwardedHost, source.part(head.host))
        }
        if let certificate = client.certificate {
            writeCertificate(certificate, into: &writer)
        }
    }

    /// Who the client has proved to be; what clients say of that themselves goes nowhere.
    private func writeCertificate(
        _ certificate: ClientCertificate,
        into writer: inout ByteWriter
    ) {
        if !certificate.subject.isEmpty {
            writer.write("X-Client-Cert-Subject: ")
            writer.write(certificate.subject)
            writer.writeLineEnd()
        }
        writer.write("X-Client-Cert-Fingerprint: ")
        writer.write(certificate.fingerprint)
        writer.writeLineEnd()
    }

    /// `Via`: what was there and this gateway (RFC 9110 §7.6.3).
    func writeVia(of source: Span<UInt8>, into writer: inout ByteWriter) {
        writer.writeFieldStart(.via)
        writeValues(of: .via, source, into: &writer)
        writer.write("1.1 sluice")
        writer.writeLineEnd()
    }

    /// Every value of a field, each followed by a comma.
    private func writeValues(
        of name: FieldName,
        _ source: Span<UInt8>,
        into writer: inout ByteWriter
    ) {
        guard fields.names.contains(name) else { return }
        for index in 0..<fields.count where fields[index].name == name {
            let value = source.part(fields[index].valueRange)
            if value.isEmpty { continue }
            writer.write(value)
            writer.write(", ")
        }
    }

    private func writeMaxForwards(of source: Span<UInt8>, into writer: inout ByteWriter) {
        guard let field = fields.first(.maxForwards) else { return }
        let value = source.part(field.valueRange)
        if let left = value.maxForwards, left > 0 {
            writer.writeField(.maxForwards, decimal: left - 1)
        } else {
            writer.writeField(.maxForwards, value)
        }
    }
}

/// The value of `X-Request-Timeout`: seconds with three decimals, always as wide.
struct RemainingTime {
    static let blank: StaticString = "00000.000"
    /// Bytes between the value's end and the head's: two line ends.
    static let distanceFromEnd = 4

    private var digits = InlineArray<9, UInt8>(repeating: 0x30)

    init(_ duration: Duration) {
        let milliseconds = max(0, duration.wholeNanoseconds) / 1_000_000
        let time = UInt64(min(milliseconds, 99_999_999))
        var room = digits.mutableSpan
        room.withWriter { writer in
            writer.write(decimal: time / 1000, width: 5)
            writer.write(".")
            writer.write(decimal: time % 1000, width: 3)
        }
    }

    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { digits.span }
    }
}
