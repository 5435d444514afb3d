// A plain listener that sends everybody to https.

internal import HTTPWire
internal import Transport

/// What is done with the requests of a listener that redirects.
struct Redirection: ClientService {
    /// The port of https that requests are sent to.
    let port: Int

    func serve(
        _ exchange: Exchange,
        to client: ClientConnection,
        on lane: Lane
    ) async throws(ExchangeError) {
        try await lane.redirect(exchange, to: client, port: port)
    }
}

extension Lane {
    /// Answers 308 with the same place behind https at `port` (RFC 9110 §15.4.9).
    ///
    /// - Throws: `.malformed` when the request does not say which host it means.
    func redirect(
        _ exchange: Exchange,
        to client: ClientConnection,
        port: Int
    ) async throws(ExchangeError) {
        guard let head = client.head, let buffer = client.buffer else { throw .clientGone }
        let source = buffer.bytes
        exchange.begin(head, of: source, isTrusted: false)
        noteIdentifiers(of: source, on: exchange)
        // Whoever is sent elsewhere need not be heard out.
        if head.framing != .none || client.isDraining { exchange.keepsConnection = false }
        let count = writeRedirection(head, of: source, exchange, port)
        client.consumeHead()
        try exchange.body.begin(
            head.framing,
            in: buffer,
            bytesMax: .max,
            holdBytesMax: 0,
            limits: snapshot.settings.limits
        )
        if head.method == .connect { throw .methodRefused }
        guard let count else { throw .malformed(.missingHost) }
        exchange.isAnswered = true
        exchange.status = 308
        try await client.sendScratch(count)
    }

    private func writeRedirection(
        _ head: RequestHead,
        of source: Span<UInt8>,
        _ exchange: Exchange,
        _ port: Int
    ) -> Int? {
        let host = source.part(head.host).hostWithoutPort
        guard !host.isEmpty else { return nil }
        return scratch.write { writer in
            writer.writeStatusLine(308)
            writer.writeFieldStart(.location)
            writer.write("https://")
            writer.write(host)
            if port != 443 {
                writer.write(":")
                writer.write(decimal: UInt64(port))
            }
            let path = source.part(head.path)
            // `*`, and nothing at all behind an authority, mean the whole server.
            if path.isEmpty || path[0] != UInt8(ascii: "/") {
                writer.write("/")
            } else {
                writer.write(path)
            }
            if let query = head.query {
                writer.write("?")
                writer.write(source.part(query))
            }
            writer.writeLineEnd()
            writer.writeField(.contentLength, decimal: 0)
            writer.writeFieldStart(.date)
            writeDate(into: &writer)
            writer.writeLineEnd()
            writeConnection(exchange, into: &writer)
            writer.writeLineEnd()
        }
    }
}

extension Span<UInt8> {
    /// `host` of `host:port`; the brackets of an IPv6 address stay.
    var hostWithoutPort: Span<UInt8> {
        @_lifetime(copy self)
        get {
            var end = count
            while end > 0, (0x30...0x39).contains(self[end - 1]) { end -= 1 }
            guard end > 0, self[end - 1] == UInt8(ascii: ":") else { return self }
            return extracting(0..<end - 1)
        }
    }
}
