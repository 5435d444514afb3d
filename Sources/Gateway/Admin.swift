// The admin address: takes a request off a connection, has it answered, sends the answer.

internal import HTTPWire
internal import Transport

/// What is done with the requests to the admin address.
struct AdminPages: ClientService {
    func serve(
        _ exchange: Exchange,
        to client: ClientConnection,
        on lane: Lane
    ) async throws(ExchangeError) {
        let request = try lane.takePageRequest(exchange, from: client)
        let answer = try await lane.adminAnswer(to: request, from: client)
        try await lane.send(answer, of: exchange, to: client)
    }
}

extension Lane {
    /// The most that a request to the admin address may carry as a body; nothing is read of it.
    private static let adminBodyBytesMax: UInt64 = 64 * 1024

    /// Takes a request for a page of our own off its connection.
    func takePageRequest(
        _ exchange: Exchange,
        from client: ClientConnection
    ) throws(ExchangeError) -> AdminRequest {
        guard let head = client.head, let buffer = client.buffer else { throw .clientGone }
        let source = buffer.bytes
        exchange.begin(head, of: source, isTrusted: false)
        noteIdentifiers(of: source, on: exchange)
        let request = AdminRequest(head, of: source, fields)
        client.consumeHead()
        try exchange.body.begin(
            head.framing,
            in: buffer,
            bytesMax: Lane.adminBodyBytesMax,
            holdBytesMax: 0,
            limits: snapshot.settings.limits
        )
        return request
    }

    /// Answers a request with a page of our own.
    func send(
        _ answer: AdminAnswer,
        of exchange: Exchange,
        to client: ClientConnection
    ) async throws(ExchangeError) {
        while !exchange.body.isReceived, try client.discard(exchange.body) {}
        if !exchange.body.isReceived { exchange.keepsConnection = false }
        if gateway.isOver { exchange.keepsConnection = false }
        exchange.isAnswered = true
        exchange.status = answer.status
        guard var bytes = headBytes(of: answer, for: exchange) else { throw .outOfBuffers }
        if exchange.method != .head { bytes.append(contentsOf: answer.body) }
        try await client.sendPage(bytes)
    }

    /// The answer's head; nil when it is longer than any of ours.
    private func headBytes(of answer: AdminAnswer, for exchange: Exchange) -> [UInt8]? {
        var memory = HeadScratch(capacity: 4096)
        let count = memory.write { writer in
            writer.writeStatusLine(answer.status)
            writer.writeField(.contentType, answer.contentType)
            writer.writeField(.contentLength, decimal: UInt64(answer.body.count))
            writer.writeField(.cacheControl, "no-store")
            writer.writeFieldStart(.date)
            writeDate(into: &writer)
            writer.writeLineEnd()
            if answer.status == 401 { writer.writeField(.wwwAuthenticate, "Bearer") }
            if let allow = answer.allow {
                writer.write("Allow: ")
                writer.write(allow)
                writer.writeLineEnd()
            }
            writeConnection(exchange, into: &writer)
            writer.writeField(.xRequestID, exchange.requestID)
            writer.writeLineEnd()
        }
        guard let count else { return nil }
        var bytes: [UInt8] = []
        bytes.replace(with: memory.bytes(count))
        return bytes
    }
}

extension ClientConnection {
    /// Sends a page slab by slab; a slow reader holds one slab.
    fileprivate func sendPage(_ bytes: [UInt8]) async throws(ExchangeError) {
        guard let slab = lane.context.buffers.take() else { throw .outOfBuffers }
        defer { lane.context.buffers.giveBack(slab) }
        var next = 0
        var deadline = lane.now + lane.snapshot.settings.timeouts.write
        while next < bytes.count || !slab.isEmpty {
            if slab.isEmpty {
                slab.clear()
                let end = min(bytes.count, next + slab.room)
                _ = slab.append(bytes.span.extracting(next..<end))
                next = end
            }
            let sent: Int
            do throws(SystemError) {
                sent = try socket.send(slab, from: slab.start, to: slab.end)
            } catch {
                throw .clientGone
            }
            slab.consume(sent)
            if sent > 0 {
                deadline = lane.now + lane.snapshot.settings.timeouts.write
                continue
            }
            await parking.park(until: deadline)
            if socket.isBroken || lane.now >= deadline || isCutting { throw .clientGone }
        }
    }

    /// Waits for something outside that its `parking` is resumed for.
    ///
    /// - Throws: `.clientGone` when nobody waits for the answer any more.
    func waitForOwner(until instant: Instant) async throws(ExchangeError) {
        await parking.park(until: instant)
        if socket.isBroken || isCutting { throw .clientGone }
    }
}
