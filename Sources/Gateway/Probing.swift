// Active health checks: one task per replica asks it, when the pool says so.

internal import Balancing
internal import HTTPWire
internal import Synchronization
internal import Telemetry
internal import Transport

/// How a pool's replicas are probed.
struct ProbeSettings: Sendable, Equatable {
    /// What is asked for; nil: a TCP connection is enough.
    var path: String?
    /// The statuses that pass.
    var expect: [ClosedRange<Int>] = [200...299]
    var timeout = Duration.seconds(2)
    /// nil: in plain HTTP.
    var tls: ReplicaTLS?
}

/// Probes the replicas of one pool.
final class Prober: Sendable {
    private let pool: Pool
    private let gateway: Gateway
    private let settings: Mutex<ProbeSettings>
    /// Bytes of an answer's head that are read; a longer one fails.
    private static let headBytesMax = 16 * 1024

    init(pool: Pool, gateway: Gateway, settings: ProbeSettings) {
        self.pool = pool
        self.gateway = gateway
        self.settings = Mutex(settings)
    }

    func configure(_ settings: ProbeSettings) { self.settings.withLock { $0 = settings } }

    /// Starts probing a replica, unless it is probed already.
    func start(_ endpoint: Endpoint, on loop: Loop) {
        let id = endpoint.id
        loop.spawn { context in
            let parking = Parking(on: context)
            guard self.pool.startProber(of: id, on: loop, at: parking) else { return }
            await self.run(id, parking, context)
        }
    }

    private func run(_ id: ReplicaID, _ parking: Parking, _ context: LoopContext) async {
        while !gateway.isCutting, let next = pool.nextProbe(of: id) {
            if context.now < next.at {
                await parking.park(until: next.at)
                continue
            }
            guard let outcome = await probe(next.endpoint, parking, context) else {
                // What we lack says nothing about the replica.
                await parking.sleep(until: context.now + .milliseconds(500))
                continue
            }
            pool.metrics.probed(outcome.result)
            pool.probed(id, outcome, now: context.now)
        }
    }

    /// Asks a replica once, on a connection of its own; nil when there is none left for it.
    private func probe(
        _ endpoint: Endpoint,
        _ parking: Parking,
        _ context: LoopContext
    ) async -> ProbeOutcome? {
        let settings = self.settings.withLock { $0 }
        let deadline = context.now + settings.timeout
        do throws(SystemError) {
            let socket = try Socket.connecting(to: endpoint.address, on: context)
            defer { socket.close() }
            socket.owner = parking
            while try !socket.finishConnecting() {
                await parking.park(until: deadline)
                if context.now >= deadline && !socket.isWritable { return .timedOut }
            }
            if let tls = settings.tls,
                let failure = await shakeHands(tls, socket, endpoint, parking, context, deadline)
            {
                return failure
            }
            // A handshake is the process's own work, a connection its kernel's.
            guard let path = settings.path else {
                return settings.tls == nil ? .connected : .passed
            }
            return await ask(
                path,
                settings.expect,
                of: endpoint,
                over: socket,
                parking,
                context,
                deadline
            )
        } catch {
            return error.isPeers ? .refused : nil
        }
    }

    /// What a probe ends with when the replica cannot be spoken to in TLS; nil when it can.
    private func shakeHands(
        _ tls: ReplicaTLS,
        _ socket: Socket,
        _ endpoint: Endpoint,
        _ parking: Parking,
        _ context: LoopContext,
        _ deadline: Instant
    ) async -> ProbeOutcome? {
        do throws(TLSError) {
            try tls.start(on: socket, to: endpoint)
            while try !socket.handshake() {
                await parking.park(until: deadline)
                if context.now >= deadline { return .timedOut }
            }
            return nil
        } catch {
            pool.complain(of: endpoint, error, now: context.now)
            return .failed(status: nil)
        }
    }

    private func ask(
        _ path: String,
        _ expect: [ClosedRange<Int>],
        of endpoint: Endpoint,
        over socket: Socket,
        _ parking: Parking,
        _ context: LoopContext,
        _ deadline: Instant
    ) async -> ProbeOutcome? {
        guard let buffer = context.buffers.take() else { return nil }
        defer { context.buffers.giveBack(buffer) }
        let request = Array(
            ("GET \(path) HTTP/1.1\r\nHost: \(endpoint.name)\r\n"
                + "User-Agent: sluice-probe\r\nConnection: close\r\n\r\n").utf8
        )
        guard buffer.append(request.span) else { return .failed(status: nil) }
        do throws(SystemError) {
            while !buffer.isEmpty {
                buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
                if buffer.isEmpty { break }
                await parking.park(until: deadline)
                if context.now >= deadline { return .timedOut }
            }
            buffer.clear()
            while true {
                switch try socket.receive(into: buffer) {
                case .bytes:
                    endpoint.heard(at: context.now)
                    if let status = status(in: buffer) {
                        let isExpected = expect.contains { $0.contains(Int(status)) }
                        return isExpected ? .passed : .failed(status: Int(status))
                    }
                    if buffer.count > Prober.headBytesMax { return .failed(status: nil) }
                case .end:
                    return .failed(status: nil)
                case .wouldBlock:
                    await parking.park(until: deadline)
                    if context.now >= deadline && !socket.isReadable { return .timedOut }
                }
            }
        } catch {
            return .failed(status: nil)
        }
    }

    /// The status of a final head that is whole; 0 for bytes that are no HTTP.
    private func status(in buffer: ByteBuffer) -> UInt16? {
        var parser = ResponseParser()
        var fields = FieldTable(capacity: 128)
        do throws(WireError) {
            while let head = try parser.parse(buffer.bytes, answering: .get, into: &fields) {
                guard head.isInformational else { return head.status }
                buffer.consume(head.headLength)
                parser.reset()
            }
            return nil
        } catch {
            return 0
        }
    }
}

extension ProbeOutcome {
    /// The same as a label of `sluice_probes_total`.
    var result: ProbeResult {
        switch self {
        case .passed, .connected: .passed
        case .failed: .failed
        case .timedOut: .timedOut
        case .refused: .refused
        }
    }
}
