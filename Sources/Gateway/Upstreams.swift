// A loop's connections to replicas: those at work, and those kept idle for the next request.

internal import HTTPWire
internal import Telemetry
internal import Transport

/// Opens, keeps and closes connections to replicas.
///
/// One per loop, confined to it.
final class Upstreams {
    private let context: LoopContext
    private var idle = IdleConnections<UpstreamConnection>(shelfMax: 256)
    private let housekeeping: Parking
    /// How often idle connections are looked at: a third of the shortest sensible keep-alive.
    private static let sweepInterval = Duration.milliseconds(500)

    init(context: LoopContext) {
        self.context = context
        housekeeping = Parking(on: context)
    }

    /// A kept connection to the replica that is still good, if there is one and it will do.
    ///
    /// A request that cannot be sent twice needs a new one, since a kept one may break under it;
    /// so does one under which a kept one broke, since the others may be as stale.
    func takeKept(to endpoint: Endpoint, for exchange: Exchange) -> UpstreamConnection? {
        let last = exchange.failures.last?.fault.stage
        guard
            exchange.body.isReceived
                || exchange.method.isIdempotent && exchange.body.staysReplayable,
            last != .unanswered(onReusedConnection: true),
            let kept = takeIdle(endpoint, exchange.route?.settings.tls)
        else { return nil }
        kept.socket.owner = exchange.client.parking
        return kept
    }

    /// A new connection to the replica.
    ///
    /// - Throws: `.again` or `.upstream` when no connection comes about.
    func connect(
        to endpoint: Endpoint,
        for exchange: Exchange
    ) async throws(ExchangeError) -> UpstreamConnection {
        let started = context.now
        let settings = exchange.route?.settings
        let deadline = min(
            exchange.deadline,
            started + (settings?.connectTimeout ?? .seconds(1))
        )
        let socket = try connecting { () throws(SystemError) in
            try Socket.connecting(to: endpoint.address, on: context)
        } orElse: { error in
            exchange.after(.connecting(error.isPeers ? .connectFailed : .noConnectionLeft))
        }
        // Given up before it is wrapped, the socket closes with its last reference.
        socket.owner = exchange.client.parking
        while !(try connecting { () throws(SystemError) in
            try socket.finishConnecting()
        } orElse: { error in
            exchange.after(.connecting(error.isPeers ? .connectFailed : .noConnectionLeft))
        }) {
            try await exchange.wait(until: deadline)
            if context.now >= exchange.deadline { throw .deadline }
            if context.now >= deadline && !socket.isWritable {
                throw exchange.after(.connecting(.connectTimeout))
            }
        }
        if let tls = settings?.tls {
            let limit = context.now + (settings?.connectTimeout ?? .seconds(1))
            try await shakeHands(tls, over: socket, to: endpoint, before: limit, for: exchange)
        }
        exchange.connected(after: context.now - started)
        exchange.route?.pool.metrics.spent(
            context.now - started,
            .connect,
            stripe: context.index
        )
        return UpstreamConnection(
            socket,
            to: endpoint,
            keepAlive: settings?.keepAlive ?? .zero,
            tls: settings?.tls,
            in: context
        )
    }

    /// A step of connecting; refused, unreachable or without a descriptor, nothing was sent.
    private func connecting<Value>(
        _ step: () throws(SystemError) -> Value,
        orElse fault: (SystemError) -> ExchangeError
    ) throws(ExchangeError) -> Value {
        do throws(SystemError) { return try step() } catch { throw fault(error) }
    }

    /// Secures a new connection; a replica that cannot prove who it is gets no request.
    private func shakeHands(
        _ tls: ReplicaTLS,
        over socket: Socket,
        to endpoint: Endpoint,
        before deadline: Instant,
        for exchange: Exchange
    ) async throws(ExchangeError) {
        do throws(TLSError) {
            try tls.start(on: socket, to: endpoint)
        } catch {
            exchange.route?.pool.complain(of: endpoint, error, now: context.now)
            throw exchange.after(.connecting(.connectFailed))
        }
        while !(try step(of: socket, to: endpoint, for: exchange)) {
            try await exchange.wait(until: min(deadline, exchange.deadline))
            if context.now >= exchange.deadline { throw .deadline }
            if context.now >= deadline { throw exchange.after(.connecting(.connectTimeout)) }
        }
    }

    private func step(
        of socket: Socket,
        to endpoint: Endpoint,
        for exchange: Exchange
    ) throws(ExchangeError) -> Bool {
        do throws(TLSError) {
            return try socket.handshake()
        } catch {
            exchange.route?.pool.complain(of: endpoint, error, now: context.now)
            throw exchange.after(.connecting(.connectFailed))
        }
    }

    /// A kept connection that is still good, and secured as the pool has it now.
    private func takeIdle(_ endpoint: Endpoint, _ tls: ReplicaTLS?) -> UpstreamConnection? {
        while let connection = idle.take(endpoint.key) {
            if connection.isFresh(at: context.now), connection.tls == tls {
                connection.isReused = true
                return connection
            }
            connection.close()
        }
        return nil
    }

    /// Takes a connection back after an attempt; it is kept if the next request may use it.
    func giveBack(_ connection: UpstreamConnection) {
        connection.releaseBuffer()
        guard connection.isReusable, connection.keepAlive > .zero,
            idle.keep(connection, to: connection.endpoint.key)
        else {
            connection.close()
            return
        }
        connection.rest(at: context.now)
        connection.socket.owner = housekeeping
        if idle.count == 1 { housekeeping.unpark() }
    }

    /// Closes the idle connections to an endpoint that is down or gone.
    func closeIdle(_ key: Int) {
        for connection in idle.takeAll(key) { connection.close() }
    }

    /// Closes idle connections whose time is over or whose replica has closed them.
    ///
    /// Runs for as long as the loop does.
    func keepHouse(until isOver: () -> Bool) async {
        while !isOver() {
            await housekeeping.park(
                until: idle.isEmpty ? nil : context.now + Upstreams.sweepInterval
            )
            for connection in idle.take(unless: { $0.isFresh(at: context.now) }) {
                connection.close()
            }
        }
        for connection in idle.take(unless: { _ in false }) { connection.close() }
    }

    /// Ends `keepHouse` if its condition is met.
    func wakeHousekeeping() { housekeeping.unpark() }
}

extension UpstreamFault {
    static func connecting(_ kind: Kind) -> UpstreamFault {
        UpstreamFault(kind: kind, stage: .connecting)
    }
}
