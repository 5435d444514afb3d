// One client's connection: heads off it, one exchange after the other, and its end.

internal import HTTPWire
internal import Telemetry
internal import Transport

/// A client's connection.
///
/// Its task lives on one loop; nothing here is shared.
final class ClientConnection {
    let lane: Lane
    let socket: Socket
    let parking: Parking
    /// The client's IP address as text.
    let host: [UInt8]
    let address: Address?
    let kind: ConnectionKind
    private var parser: RequestParser
    /// What has been received; none while the connection is idle.
    private(set) var buffer: ByteBuffer?
    /// The client has left, but its request may finish (`onClientAbort: "finish"`).
    private(set) var isAbandoned = false
    /// Whether a request is being served, for the drain.
    private(set) var isBusy = false
    /// What it serves; none between requests.
    private(set) var exchange: Exchange?
    /// When it is closed if no request has begun.
    var idleDeadline: Instant
    /// Who the client has proved to be by a certificate.
    var certificate: ClientCertificate?
    /// What the client is told instead of being served.
    var refusal: ExchangeError?

    init(
        _ socket: Socket,
        as kind: ConnectionKind,
        from address: Address?,
        idleUntil idleDeadline: Instant,
        on lane: Lane
    ) {
        self.idleDeadline = idleDeadline
        self.kind = kind
        self.lane = lane
        self.socket = socket
        self.address = address
        host = address?.hostBytes ?? Array("unknown".utf8)
        parking = Parking(on: lane.context)
        parser = RequestParser(limits: lane.snapshot.settings.limits)
        socket.owner = parking
    }

    /// Serves one exchange after the other until either side ends the connection, or nothing comes.
    ///
    /// Returns until when the connection may rest without a task; nil: it is closed.
    func run(_ service: any ClientService) async -> Instant? {
        var goesOn = true
        while goesOn {
            do throws(ExchangeError) {
                if let refusal { throw refusal }
                switch try await nextRequest() {
                case .end: goesOn = false
                case .rest(let deadline):
                    parking.retire()
                    return deadline
                case .request(let exchange):
                    isBusy = true
                    try await service.serve(exchange, to: self, on: lane)
                }
            } catch {
                await answer(error, to: beginExchange())
            }
            isBusy = false
            guard let exchange else { continue }
            switch end(exchange) {
            case .next: break
            case .close: goesOn = false
            case .linger:
                await linger()
                goesOn = false
            }
        }
        releaseBuffer()
        close()
        return nil
    }

    /// Closes the connection and lets go of where it waited.
    func close() {
        socket.close()
        parking.retire()
    }

    /// What follows an exchange.
    private enum Sequel {
        /// Another one.
        case next
        case close
        /// The close, once the client has had time to read the answer.
        case linger
    }

    /// Accounts for an exchange and gives it back.
    private func end(_ exchange: Exchange) -> Sequel {
        if kind == .client { lane.account(exchange) }
        let sequel = finish(exchange)
        self.exchange = nil
        lane.giveBack(exchange)
        idleDeadline = lane.now + lane.snapshot.settings.timeouts.keepAlive
        return sequel
    }

    private func beginExchange() -> Exchange {
        if let exchange { return exchange }
        let exchange = lane.takeExchange(for: self)
        exchange.start()
        self.exchange = exchange
        return exchange
    }

    /// How long a connection keeps its task while nothing comes.
    private static let warmth = Duration.milliseconds(50)

    /// How long an idle connection is kept for a last request once the gateway drains.
    static let lastCall = Duration.seconds(1)

    // MARK: receiving

    private enum Next {
        case request(Exchange)
        /// Nothing has come for a while: no task is needed until the deadline.
        case rest(until: Instant)
        case end
    }

    /// Waits for the next head to be whole.
    ///
    /// The head stands at the front of the buffer's run; `parseHead` reads it.
    private func nextRequest() async throws(ExchangeError) -> Next {
        parser.reset()
        let restsAt = lane.now + ClientConnection.warmth
        var headDeadline: Instant?
        var isLeaving = false
        while true {
            if let buffer, !buffer.isEmpty {
                let exchange = beginExchange()
                if headDeadline == nil {
                    headDeadline = lane.now + lane.snapshot.settings.timeouts.head
                }
                if try headIsWhole(in: buffer) { return .request(exchange) }
            }
            let received = try receive()
            if received == .end {
                if parser.hasStarted { throw .clientGone }
                return .end
            }
            guard received == .wouldBlock else { continue }
            if buffer?.isEmpty == true { releaseBuffer() }
            if isDraining && !isLeaving {
                // A request may be on its way already: it is answered, with `Connection: close`.
                isLeaving = true
                idleDeadline = min(idleDeadline, lane.now + ClientConnection.lastCall)
            }
            if isCutting { return .end }
            // All that has come was read: bytes that go on dripping do not move the deadline.
            if let headDeadline, lane.now >= headDeadline, parser.hasStarted { throw .slowClient }
            let pause = isLeaving ? idleDeadline : min(idleDeadline, restsAt)
            await parking.park(until: headDeadline ?? pause)
            if socket.isBroken { return .end }
            guard lane.now >= headDeadline ?? pause, !socket.isReadable else { continue }
            if parser.hasStarted { throw .slowClient }
            guard headDeadline == nil, buffer == nil, lane.now < idleDeadline, !isDraining else {
                return .end
            }
            return .rest(until: idleDeadline)
        }
    }

    private func receive() throws(ExchangeError) -> Received {
        guard socket.isReadable else { return .wouldBlock }
        guard let buffer = buffer ?? lane.context.buffers.takeForRequest() else {
            // One that only closes needs no memory and no answer.
            if socket.peerClosed { return .end }
            throw .outOfBuffers
        }
        self.buffer = buffer
        if buffer.isEmpty { buffer.clear() }
        if buffer.room == 0 { buffer.compact() }
        guard buffer.room > 0 else { throw .malformed(.headTooLarge) }
        do throws(SystemError) {
            return try socket.receive(into: buffer)
        } catch {
            return .end
        }
    }

    private func headIsWhole(in buffer: ByteBuffer) throws(ExchangeError) -> Bool {
        do throws(WireError) {
            head = try parser.parse(buffer.bytes, into: &lane.fields)
        } catch {
            throw .malformed(error)
        }
        return head != nil
    }

    /// The head that `nextRequest` has found; valid, like the loop's field table, until the next
    /// suspension.
    private(set) var head: RequestHead?

    /// The head's bytes have been read: the run begins with the body.
    func consumeHead() {
        guard let head, let buffer else { return }
        buffer.consume(head.headLength)
        self.head = nil
    }

    /// Moves the request's bytes on to a replica; returns whether anything moved.
    func pump(_ body: RequestBody, to upstream: Socket) throws(ExchangeError) -> Bool {
        guard var current = buffer else { throw .clientGone }
        defer { buffer = current }
        return try body.pump(from: socket, through: &current, to: upstream)
    }

    /// Throws away request bytes that have arrived; returns whether there were any.
    func discard(_ body: RequestBody) throws(ExchangeError) -> Bool {
        guard var current = buffer else { return false }
        defer { buffer = current }
        return try body.discard(from: socket, through: &current)
    }

    /// Moves a request that begins to wait into as little memory as it needs: thousands wait when
    /// only a few are served.
    func keepSnugly(_ body: RequestBody) {
        guard let buffer, let start = body.keptFrom,
            let snug = lane.context.buffers.snugCopy(of: buffer, from: start)
        else { return }
        body.move(to: snug, by: start)
        lane.context.buffers.giveBack(buffer)
        self.buffer = snug
    }

    // MARK: leaving

    /// Whether the connection ends with the exchange it serves.
    var isDraining: Bool { kind == .admin ? lane.gateway.isOver : lane.gateway.isDraining }

    /// Whether the connection ends now.
    var isCutting: Bool { kind == .admin ? lane.gateway.isOver : lane.gateway.isCutting }

    /// Whether nobody waits for the answer any more.
    var hasLeft: Bool {
        guard socket.peerClosed, !isAbandoned, exchange?.isTunnel != true else { return false }
        guard let exchange, exchange.body.isReceived,
            exchange.route?.settings.finishesWithoutClient == true
        else { return true }
        isAbandoned = true
        return false
    }

    /// Ends one exchange; what follows it.
    private func finish(_ exchange: Exchange) -> Sequel {
        if let buffer { exchange.body.finish(keeping: buffer) }
        if isAbandoned || !socket.isOpen || socket.isBroken || exchange.isTunnel { return .close }
        guard let current = buffer, exchange.keepsConnection, exchange.body.isReceived else {
            let mayReadOn = exchange.isAnswered && exchange.reason != .clientGone
            return mayReadOn && maySendMore(exchange) ? .linger : .close
        }
        if current.isEmpty {
            releaseBuffer()
        } else if roomyBuffer() == nil {
            return .close
        }
        return isDraining ? .close : .next
    }

    /// Whether bytes of the client may still come, and would turn the close into a reset.
    ///
    /// Not from one that has sent all of its last request (RFC 9112 §9.6).
    private func maySendMore(_ exchange: Exchange) -> Bool {
        !exchange.clientCloses || !exchange.body.isReceived || buffer?.isEmpty == false
    }

    /// The buffer with room to receive into: bytes in a snug one move to a slab first.
    ///
    /// nil when the memory limit is reached.
    func roomyBuffer() -> ByteBuffer? {
        guard let buffer, buffer.isSnug else { return buffer }
        guard let slab = lane.context.buffers.take() else { return nil }
        // A snug buffer is smaller than a slab's room.
        _ = slab.append(buffer.bytes)
        lane.context.buffers.giveBack(buffer)
        self.buffer = slab
        return slab
    }

    private func releaseBuffer() {
        if let buffer { lane.context.buffers.giveBack(buffer) }
        buffer = nil
    }

    /// Reads on for a moment after the last answer, so that the client gets it: closing with
    /// unread bytes sends a reset, which can overtake the answer (RFC 9112 §9.6).
    private func linger() async {
        releaseBuffer()
        socket.shutdownWrite()
        let deadline = lane.now + .seconds(1)
        var bytesLeft = 1 << 20
        while bytesLeft > 0, lane.now < deadline, !isCutting {
            lane.bin.clear()
            // An error here says only that the client is gone.
            guard let received = try? socket.receive(into: lane.bin) else { return }
            switch received {
            case .bytes(let count): bytesLeft -= count
            case .end: return
            case .wouldBlock: await parking.park(until: deadline)
            }
        }
    }
}
