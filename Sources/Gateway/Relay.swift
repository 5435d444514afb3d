// The answer's way to the client: bytes as they come, back-pressure both ways, an honest end.

internal import HTTPWire
internal import Telemetry
internal import Transport

extension ClientConnection {
    /// Sends what has come of an answer; whether that is all of it and nothing is left to do.
    func relayAtOnce(from upstream: UpstreamConnection) throws(ExchangeError) -> Bool {
        guard let exchange else { throw .clientGone }
        guard !upstream.answer.awaitsBody, upstream.answer.status != 101 else { return false }
        exchange.isAnswered = true
        defer { exchange.bytesSent = upstream.answer.transfer.bytesTaken }
        _ = try sendPending(&upstream.answer, from: upstream, exchange)
        guard upstream.answer.isSent else { return false }
        finish(upstream.answer, from: upstream, exchange)
        return true
    }

    /// Relays the rest of an answer from its replica until it is whole.
    ///
    /// The rest of the request goes on meanwhile, so both directions may stream at once. One slab
    /// is in use; while the client takes nothing, nothing is taken from the replica.
    /// - Throws: `.again` or `.upstream` while nothing has reached the client; afterwards a broken
    ///   replica or a client that left, both of which can only be cut.
    func relayRest(from upstream: UpstreamConnection) async throws(ExchangeError) {
        guard let exchange else { throw .clientGone }
        var answer = upstream.answer
        defer { upstream.answer = answer }
        if answer.awaitsBody { try await awaitFirstBytes(&answer, from: upstream, exchange) }
        exchange.isAnswered = true
        if answer.status == 101 { return try await tunnel(answer, upstream, exchange) }

        defer { exchange.bytesSent = answer.transfer.bytesTaken }
        var lastProgress = lane.now
        var slabs = 0
        while true {
            let sent = try sendPending(&answer, from: upstream, exchange)
            if answer.isSent { break }
            if answer.pending.count == 0 {
                if try receiveMore(&answer, from: upstream, exchange) {
                    lastProgress = lane.now
                    slabs += 1
                    // A fast pair is left after a while, so that others get their turn.
                    if slabs % 16 == 0 { await lane.context.yield() }
                    continue
                }
            }
            let pumped = pumpRest(of: exchange, to: upstream)
            if sent || pumped {
                lastProgress = lane.now
                if answer.pending.count == 0 || sent { await lane.context.yield() }
                continue
            }
            try await waitToRelay(answer, since: lastProgress, upstream, exchange)
        }
        finish(answer, from: upstream, exchange)
    }

    /// A head with a length leaves together with the first bytes of its body: one send for both,
    /// and a replica that dies between the two has not yet answered.
    private func awaitFirstBytes(
        _ answer: inout Answer,
        from upstream: UpstreamConnection,
        _ exchange: Exchange
    ) async throws(ExchangeError) {
        // The head stands right behind the (empty) run's start: receive behind it.
        while answer.awaitsBody {
            guard let buffer = upstream.buffer else { throw .clientGone }
            buffer.setRun(from: answer.pending.end, to: answer.pending.end)
            switch try upstream.receiveBehind(for: exchange) {
            case .bytes:
                do throws(WireError) {
                    try answer.addFirstBytes(from: buffer)
                } catch {
                    throw exchange.after(upstream.fault(.invalid(error)))
                }
            case .end:
                throw exchange.after(upstream.fault(.reset))
            case .wouldBlock:
                // Its body may depend on the rest of the request.
                if pumpRest(of: exchange, to: upstream) {
                    await lane.context.yield()
                    continue
                }
                try await exchange.wait(until: exchange.deadline)
                if lane.now >= exchange.deadline && !upstream.socket.isReadable {
                    throw upstream.timedOut(exchange)
                }
            }
        }
    }

    /// Sends what is ready; returns whether any of it went.
    private func sendPending(
        _ answer: inout Answer,
        from upstream: UpstreamConnection,
        _ exchange: Exchange
    ) throws(ExchangeError) -> Bool {
        guard answer.pending.count > 0, let buffer = upstream.buffer else { return false }
        if isAbandoned {
            answer.pending.start = answer.pending.end
            return true
        }
        if !exchange.keepsConnection, answer.transfer.isComplete { socket.endAfterNextSend() }
        do throws(SystemError) {
            let count = try socket.send(
                buffer,
                from: answer.pending.start,
                to: answer.pending.end
            )
            answer.pending.start += count
            return count > 0
        } catch {
            guard !hasLeft else { throw .clientGone }
            // It left, but the replica may finish.
            return true
        }
    }

    /// Receives more of the body once all before has been sent; returns whether anything came.
    private func receiveMore(
        _ answer: inout Answer,
        from upstream: UpstreamConnection,
        _ exchange: Exchange
    ) throws(ExchangeError) -> Bool {
        guard let buffer = upstream.buffer else { throw .clientGone }
        do throws(WireError) {
            if !buffer.isEmpty {
                answer.pending = try answer.transfer.take(from: buffer)
                return true
            }
            buffer.clear()
            switch try receiveBody(from: upstream, exchange) {
            case .bytes:
                answer.pending = try answer.transfer.take(from: buffer)
                upstream.noteProgress(exchange)
                return true
            case .end:
                answer.pending = try answer.transfer.end(in: buffer)
                return true
            case .wouldBlock:
                return false
            case .broken:
                throw .badChunk
            }
        } catch {
            // Cut or malformed: no last chunk is invented (RFC 9112 §8).
            let isCut = upstream.socket.peerClosed && buffer.isEmpty
            throw .upstream(upstream.fault(isCut ? .reset : .invalid(error), answered: true))
        }
    }

    private enum BodyReceived { case bytes, end, wouldBlock, broken }

    private func receiveBody(
        from upstream: UpstreamConnection,
        _ exchange: Exchange
    ) throws(WireError) -> BodyReceived {
        do throws(ExchangeError) {
            switch try upstream.receive(for: exchange) {
            case .bytes: return .bytes
            case .end: return .end
            case .wouldBlock: return .wouldBlock
            }
        } catch {
            return .broken
        }
    }

    /// Moves the rest of the request on; a replica that has answered need not take it.
    private func pumpRest(of exchange: Exchange, to upstream: UpstreamConnection) -> Bool {
        guard !exchange.body.isSent, !exchange.body.isBroken, !isAbandoned else { return false }
        do throws(ExchangeError) {
            return try pump(exchange.body, to: upstream.socket)
        } catch {
            // The client broke off its request; the answer may still reach it.
            exchange.body.isBroken = true
            return false
        }
    }

    /// Waits for the slower side, as long as its own time-out allows.
    private func waitToRelay(
        _ answer: Answer,
        since lastProgress: Instant,
        _ upstream: UpstreamConnection,
        _ exchange: Exchange
    ) async throws(ExchangeError) {
        let waitsForClient = answer.pending.count > 0
        let limit =
            lastProgress
            + (waitsForClient ? lane.snapshot.settings.timeouts.write : exchange.streamIdle)
        try await exchange.wait(until: min(limit, exchange.deadline))
        let hasMoved = waitsForClient ? socket.isWritable : upstream.socket.isReadable
        if hasMoved { return }
        if lane.now >= exchange.deadline { throw upstream.timedOut(exchange) }
        if lane.now >= limit {
            if waitsForClient { throw .clientGone }
            throw .upstream(upstream.fault(.stalled, answered: true))
        }
    }

    /// Keeps the replica's connection if nothing unasked for is on it (RFC 9112 §9.2, §9.6).
    private func finish(
        _ answer: Answer,
        from upstream: UpstreamConnection,
        _ exchange: Exchange
    ) {
        let hasSurplus = upstream.buffer.map { !$0.isEmpty } ?? false
        if answer.keepsUpstream && !hasSurplus && exchange.body.isSent
            && !upstream.socket.peerClosed
        {
            upstream.markClean()
        }
    }
}
