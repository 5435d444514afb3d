// One connection to a replica while it serves an exchange: send the request, receive the head.

internal import HTTPWire
internal import Synchronization
internal import Telemetry
internal import Transport

/// A connection to a replica.
///
/// Confined to its loop.
final class UpstreamConnection {
    let socket: Socket
    let endpoint: Endpoint
    let keepAlive: Duration
    /// On which terms it was secured; nil: it is in plain HTTP.
    let tls: ReplicaTLS?
    private let context: LoopContext
    private var parser = ResponseParser()
    private(set) var buffer: ByteBuffer?
    /// The answer to the current request, once its head has come; here, where no waiting task has
    /// to carry it along.
    var answer = Answer()
    private var idleSince: Instant
    private var progressDue: Instant
    /// When the current request was begun to be sent.
    private var startedAt: Instant
    /// Whether any byte of the current answer has come.
    private var hasReceived = false
    /// When bytes of the request were last taken.
    private var movedAt: Instant
    /// When it is worth asking again whether the attempt may be given up.
    private var askAgainAt: Instant
    /// Its place among those that are watched for silence; -1: it is not.
    var watchIndex = -1
    /// Whether it has served a request before this one.
    var isReused = false
    /// Whether the last exchange left it clean.
    private(set) var isReusable = false

    init(
        _ socket: Socket,
        to endpoint: Endpoint,
        keepAlive: Duration,
        tls: ReplicaTLS? = nil,
        in context: LoopContext
    ) {
        self.socket = socket
        self.endpoint = endpoint
        self.keepAlive = keepAlive
        self.tls = tls
        self.context = context
        idleSince = context.now
        startedAt = context.now
        movedAt = context.now
        askAgainAt = context.now
        // The lease itself was progress.
        progressDue = context.now + .seconds(1)
    }

    // MARK: between exchanges

    /// Whether an idle connection can serve another request.
    ///
    /// Anything readable on it is a close or bytes nobody asked for (RFC 9112 §9.2).
    func isFresh(at now: Instant) -> Bool {
        socket.settle()
        return socket.isOpen && !socket.isReadable && !socket.peerClosed
            && now < idleSince + keepAlive
    }

    func rest(at now: Instant) {
        idleSince = now
        isReusable = false
    }

    func close() {
        releaseBuffer()
        socket.close()
    }

    func releaseBuffer() {
        if let buffer { context.buffers.giveBack(buffer) }
        buffer = nil
    }

    // MARK: an attempt

    /// Begins to send the request; whether all of it has been sent.
    func sendAtOnce(_ exchange: Exchange) throws(ExchangeError) -> Bool {
        begin(exchange)
        if exchange.expectsContinue && !exchange.body.isReceived { return false }
        _ = try exchange.client.pump(exchange.body, to: socket)
        return exchange.body.isSent || exchange.body.isBroken
    }

    private func begin(_ exchange: Exchange) {
        isReusable = false
        hasReceived = false
        startedAt = context.now
        movedAt = context.now
        askAgainAt = context.now
        progressDue = context.now + .seconds(1)
        parser = ResponseParser(limits: exchange.lane.snapshot.settings.limits)
        exchange.body.patchHead(
            RemainingTime(exchange.timeLeft).bytes,
            endingBeforeEndBy: RemainingTime.distanceFromEnd
        )
        exchange.body.startAttempt(holding: isReused || exchange.isRepeatable)
    }

    /// Sends what is left of the request, until all is sent or the replica answers early.
    func sendRest(of exchange: Exchange) async throws(ExchangeError) {
        if exchange.expectsContinue && !exchange.body.isReceived {
            exchange.expectsContinue = false
            try await exchange.client.sendContinue()
        }
        while true {
            let moved = try exchange.client.pump(exchange.body, to: socket)
            if exchange.body.isSent || exchange.body.isBroken { return }
            // An early answer, or the end of the connection: `receiveHead` tells which.
            if socket.isReadable { return }
            if moved {
                movedAt = context.now
                await context.yield()
                continue
            }
            try await waitToSend(exchange)
        }
    }

    /// Waits for the client's bytes or the replica's room.
    private func waitToSend(_ exchange: Exchange) async throws(ExchangeError) {
        let timeouts = exchange.lane.snapshot.settings.timeouts
        let waitsForClient = socket.isWritable
        let limit = context.now + (waitsForClient ? timeouts.body : exchange.streamIdle)
        if waitsForClient {
            try await exchange.wait(until: min(limit, exchange.deadline))
        } else {
            try await waitForReplica(exchange, until: min(limit, exchange.deadline))
        }
        if context.now >= exchange.deadline {
            throw waitsForClient ? .deadline : timedOut(exchange)
        }
        guard context.now >= limit, !socket.isReadable, socket.isWritable == waitsForClient
        else { return }
        if !waitsForClient { throw exchange.after(fault(.timeout)) }
        if !exchange.client.socket.isReadable { throw .slowClient }
    }

    /// Receives the head of the final answer; interim ones go on to the client.
    ///
    /// The head as the client gets it lies before the first body bytes in `buffer`.
    func receiveHead(for exchange: Exchange) async throws(ExchangeError) {
        while true {
            switch try advance(exchange) {
            case .final: return
            case .interim(let count):
                if count > 0 { try await exchange.client.sendScratch(count) }
                // However many come: others get their turn, and the deadline its due.
                await context.yield()
                if context.now >= exchange.deadline { throw timedOut(exchange) }
            case .pumped:
                await context.yield()
            case .blocked:
                guard exchange.body.isReceived || exchange.body.isBroken else {
                    // It has begun to answer, but the rest of the request is still to come.
                    try await waitToSend(exchange)
                    continue
                }
                try await waitForReplica(exchange, until: exchange.deadline)
                if context.now >= exchange.deadline && !socket.isReadable {
                    throw timedOut(exchange)
                }
            }
        }
    }

    private enum HeadStep {
        /// The final head is in `answer`.
        case final
        /// So many bytes of an interim head for the client are in the scratch.
        case interim(Int)
        /// More of the request went on.
        case pumped
        /// Nothing moves now.
        case blocked
    }

    /// Goes on towards the final head as far as bytes have come.
    private func advance(_ exchange: Exchange) throws(ExchangeError) -> HeadStep {
        while true {
            if let buffer, !buffer.isEmpty, let head = try parseHead(in: buffer, for: exchange) {
                if head.isInformational {
                    return .interim(takeInterim(head, in: buffer, for: exchange))
                }
                try begin(head, in: buffer, for: exchange)
                return .final
            }
            switch try receive(for: exchange) {
            case .bytes:
                hasReceived = true
                noteProgress(exchange)
            case .end:
                throw exchange.after(fault(.reset))
            case .wouldBlock:
                guard !exchange.body.isSent, !exchange.body.isBroken,
                    try exchange.client.pump(exchange.body, to: socket)
                else { return .blocked }
                movedAt = context.now
                return .pumped
            }
        }
    }

    /// Waits while it is the replica's turn, watched for its silence if the request may go to
    /// another one.
    private func waitForReplica(
        _ exchange: Exchange,
        until instant: Instant
    ) async throws(ExchangeError) {
        guard !hasReceived, endpoint.patience.duration != nil, exchange.mayGiveUp else {
            return try await exchange.wait(until: instant)
        }
        let watch = exchange.lane.watch
        watch.add(self)
        await exchange.client.parking.park(until: instant)
        watch.remove(self)
        try exchange.checkIsWanted()
        guard !socket.isReadable, let patience = endpoint.patience.duration,
            let due = silenceDue, due <= context.now
        else { return }
        if let error = exchange.giveUp(quietSince: quietSince) { throw error }
        // No room elsewhere, or nothing left to pay with: that may change.
        askAgainAt = context.now + patience / 2
    }

    /// Since when nothing was heard from the replica, on any connection, that had its turn here.
    private var quietSince: Instant { max(movedAt, endpoint.lastHeard) }

    /// When the silence is long enough to go elsewhere; nil: never.
    var silenceDue: Instant? {
        endpoint.patience.duration.map { max(quietSince + $0, askAgainAt) }
    }

    /// Receives into the buffer, which is taken when there is something to receive.
    func receive(for exchange: Exchange) throws(ExchangeError) -> Received {
        guard socket.isReadable else { return .wouldBlock }
        guard let buffer = buffer ?? context.buffers.take() else { throw .outOfBuffers }
        self.buffer = buffer
        if buffer.isEmpty { buffer.clear() }
        if buffer.room == 0 { buffer.compact() }
        guard buffer.room > 0 else { throw exchange.after(fault(.invalid(.headTooLarge))) }
        do throws(SystemError) {
            return try socket.receive(into: buffer)
        } catch {
            throw exchange.after(fault(.reset, answered: exchange.isAnswered))
        }
    }

    /// Receives behind what the buffer holds already, although its run is empty.
    func receiveBehind(for exchange: Exchange) throws(ExchangeError) -> Received {
        guard let buffer, buffer.room > 0 else { throw exchange.after(fault(.reset)) }
        do throws(SystemError) {
            return try socket.receive(into: buffer)
        } catch {
            throw exchange.after(fault(.reset))
        }
    }

    private func parseHead(
        in buffer: ByteBuffer,
        for exchange: Exchange
    ) throws(ExchangeError) -> ResponseHead? {
        do throws(WireError) {
            return try parser.parse(
                buffer.bytes,
                answering: exchange.method,
                into: &exchange.lane.fields
            )
        } catch {
            throw exchange.after(fault(.invalid(error)))
        }
    }

    /// RFC 9110 §15.2: interim answers go to 1.1 clients, never to 1.0; bytes for the client.
    private func takeInterim(
        _ head: ResponseHead,
        in buffer: ByteBuffer,
        for exchange: Exchange
    ) -> Int {
        let count = exchange.lane.writeInterimHead(head, of: buffer.bytes)
        buffer.consume(head.headLength)
        parser.reset()
        return exchange.isHTTP10 ? 0 : count ?? 0
    }

    /// Decides what the final head means, and lays the client's version of it before the body.
    private func begin(
        _ head: ResponseHead,
        in buffer: ByteBuffer,
        for exchange: Exchange
    ) throws(ExchangeError) {
        exchange.answerBegan()
        let refusal = refusal(in: head, of: buffer.bytes, on: exchange)
        if let refusal {
            let error = exchange.after(fault(refusal))
            // Without another attempt the replica's own answer is the best there is.
            if error.isAnotherAttempt { throw error }
        }
        if head.status == 101 {
            let wanted = exchange.upgrade
            guard !wanted.isEmpty, let upgrade = head.upgrade,
                buffer.bytes.part(upgrade).equalsIgnoringCase(wanted.span)
            else { throw exchange.after(fault(.invalid(.badUpgrade))) }
        }
        answer = Answer(head, for: exchange)
        if let refusal { answer.verdict = fault(refusal).verdict }
        guard let count = exchange.lane.writeAnswerHead(head, answer, of: buffer.bytes, exchange)
        else { throw exchange.after(fault(.invalid(.headTooLarge))) }
        buffer.consume(head.headLength)
        let lane = exchange.lane
        do throws(WireError) {
            guard try answer.begin(in: buffer, head: lane.scratch, count) else {
                throw .headTooLarge
            }
        } catch {
            throw exchange.after(fault(.invalid(error)))
        }
    }

    /// Whether the replica says that it failed or has no room (design.md §4).
    private func refusal(
        in head: ResponseHead,
        of source: Span<UInt8>,
        on exchange: Exchange
    ) -> UpstreamFault.Kind? {
        if head.status == 429 || head.status == 503 {
            let fields = exchange.lane.fields.first(.retryAfterMs)
            if let fields, let wait = source.part(fields.valueRange).retryAfterMilliseconds {
                return .full(retryAfter: wait)
            }
            if let field = exchange.lane.fields.first(.retryAfter) {
                return .full(retryAfter: source.part(field.valueRange).retryAfter ?? .seconds(1))
            }
        }
        switch head.status {
        case 502, 503, 504: return .status(head.status)
        default: return nil
        }
    }

    /// Tells the pool that bytes came; it takes its lock for that, so once a second is enough,
    /// unless it waits for a sign of life.
    func noteProgress(_ exchange: Exchange) {
        endpoint.heard(at: context.now)
        guard context.now >= progressDue || endpoint.isInDoubt.load(ordering: .relaxed)
        else { return }
        progressDue = context.now + .seconds(1)
        exchange.route?.pool.progressed(endpoint, now: context.now)
    }

    // MARK: faults

    /// The answer has passed: the connection may be used again.
    func markClean() { isReusable = true }

    /// Whether a kept connection may have been closed before the request came.
    ///
    /// Not when it brought part of an answer, and not after a time in which a close on its way
    /// would have arrived: then the replica had the request, and broke under it.
    private var isStale: Bool {
        isReused && !hasReceived && context.now < startedAt + UpstreamConnection.staleWithin
    }

    private static let staleWithin = Duration.seconds(1)

    func fault(_ kind: UpstreamFault.Kind, answered: Bool = false) -> UpstreamFault {
        UpstreamFault(
            kind: kind,
            stage: answered ? .answering : .unanswered(onReusedConnection: isStale)
        )
    }

    /// The deadline came while the replica was at work.
    ///
    /// One that the client set says nothing about the replica.
    func timedOut(_ exchange: Exchange) -> ExchangeError {
        if exchange.hasOwnDeadline { return .deadline }
        return exchange.after(fault(.timeout))
    }
}
