// A real gateway in a simulated world, between clients and replicas that follow a script.
//
// Everything runs on the test's own thread and in the world's own time, so nothing is waited for.

import Balancing
import Configuration
import Foundation
import Simulation
import Synchronization
import Telemetry
import Testing
import Transport

@testable import Gateway

/// One gateway with the pool `m` behind the route `r`, and those who talk to it.
final class Stage {
    /// What differs from the defaults, as it stands in a configuration.
    struct Settings {
        /// Settings at the top, such as `limits: { fields: 3 },`.
        var top = ""
        var admin = #"address: "127.0.0.1:9900""#
        /// What the listener has besides its address, such as `tls: { … }`.
        var listener = ""
        var pool = ""
        var route = ""
        var replicas = 1
        var concurrency = 8
        /// All pools and routes instead of `m` and `r`.
        var pools: String?
        var routes: String?
    }

    struct NotBuilt: Error { let why: String }

    static let listener = Transport.Address(bytes: [10, 0, 0, 1], port: 8080)
    /// Where the clients come from.
    static let clientHost: [UInt8] = [10, 9, 0, 1]

    let world: SimulatedWorld
    let gateway: Gateway
    let loops: [Loop]
    private(set) var replicas: [ScriptedReplica] = []
    private let notes = Notes()
    private var clients = 0

    /// What the gateway reports from its loops, which run on the test's thread.
    private final class Notes: @unchecked Sendable {
        var isStarted = false
        var isStopped = false
        var lines: [String] = []
    }

    /// Who applies what Ingresses add; the loops run on the test's thread, and nobody else looks.
    private final class Owner: @unchecked Sendable {
        weak var gateway: Gateway?

        func take(_ overlay: IngressOverlay, over configuration: Configuration) {
            let sum = configuration.adding(overlay)
            let loaded = TLSMaterial.load(
                for: sum,
                tickets: TLSTickets(),
                adding: overlay.certificates,
                at: 0
            )
            gateway?.apply(sum, loaded.material ?? .none)
            gateway?.noteOverlay()
        }
    }

    /// Builds the world, starts the gateway, and waits until its replicas are usable.
    init(
        _ settings: Settings = Settings(),
        seed: UInt64 = 1,
        loops count: Int = 1,
        bufferLimit: Int = 64,
        conditions: Conditions = .kind,
        resolver: @escaping Resolver = { _, _, done in done(.notFound) },
        machine: Machine = Machine(),
        prepare: (SimulatedWorld) -> Void = { _ in }
    ) throws {
        let world = SimulatedWorld(seed: seed, conditions: conditions)
        self.world = world
        prepare(world)
        loops = (0..<count).map { _ in world.makeLoop(bufferLimit: bufferLimit) }
        let configuration = try Stage.configuration(settings)
        let owner = Owner()
        gateway = Gateway(
            configuration,
            try Stage.material(for: configuration),
            in: Gateway.Surroundings(
                loops: loops,
                log: Log(minimum: .debug, now: { 0 }, sink: { [notes] in notes.lines.append($0) }),
                resolver: resolver,
                machine: machine,
                takeOverlay: { [owner] in owner.take($0, over: configuration) }
            )
        )
        owner.gateway = gateway
        for number in 0..<settings.replicas {
            replicas.append(ScriptedReplica(at: Stage.replica(number), in: world))
        }
        try start()
    }

    static func replica(_ number: Int) -> Transport.Address {
        Transport.Address(bytes: [10, 1, 0, UInt8(number + 1)], port: 5000)
    }

    static func configuration(_ settings: Settings) throws -> Configuration {
        let addresses = (0..<settings.replicas).map { "\"\(replica($0))\"" }
            .joined(separator: ", ")
        let pool = """
            m: { replicas: [\(addresses)], concurrency: \(settings.concurrency),
                 slowStart: "0s", \(settings.pool) }
            """
        let text = """
            {
              listeners: [{ address: "10.0.0.1:8080", \(settings.listener) }],
              admin: { \(settings.admin) },
              \(settings.top)
              pools: { \(settings.pools ?? pool) },
              routes: [\(settings.routes ?? #"{ name: "r", pool: "m", \#(settings.route) }"#)],
            }
            """
        do {
            return try Configuration.load(text: text, file: "test", environment: [:]).checked()
        } catch {
            throw NotBuilt(why: "\(error.diagnostics)\n\(text)")
        }
    }

    /// What the configuration's TLS needs; made for any time.
    static func material(
        for configuration: Configuration,
        _ tickets: TLSTickets = TLSTickets()
    ) throws -> TLSMaterial {
        let now = Int64(Date().timeIntervalSince1970)
        let loaded = TLSMaterial.load(for: configuration, tickets: tickets, at: now)
        guard let material = loaded.material else {
            throw NotBuilt(why: loaded.problems.joined(separator: "\n"))
        }
        return material
    }

    private func start() throws {
        gateway.start { [notes] result in
            if case .success = result { notes.isStarted = true }
        }
        guard run(within: .seconds(1), until: { notes.isStarted }) else {
            throw NotBuilt(why: "not started: \(notes.lines)")
        }
        _ = run(within: .seconds(1)) {
            gateway.snapshot.pools.allSatisfy { pool in
                pool.snapshot().replicas.allSatisfy { $0.limitNow > 0 }
            }
        }
    }

    /// Lets the world go on until a condition holds; whether it did.
    @discardableResult
    func run(within limit: Duration = .seconds(120), until isDone: () -> Bool) -> Bool {
        world.run(within: limit, until: isDone)
    }

    /// Lets time pass.
    func pass(_ duration: Duration) { _ = world.run(within: duration) }

    var pool: Pool {
        guard let pool = gateway.snapshot.pools.first else { preconditionFailure("no pool") }
        return pool
    }

    /// The only replica, or the first one.
    var replica: ScriptedReplica { replicas[0] }

    /// Lines of the operator log.
    var log: [String] { notes.lines }

    /// The lines of the access log since the last question.
    func accessLog() -> [String] {
        String(decoding: gateway.accessLog.take(), as: UTF8.self)
            .split(separator: "\n").map(String.init)
    }

    /// Stops the gateway; whether it came to its end in time.
    func stop(within limit: Duration = .seconds(60)) -> Bool {
        gateway.stop { [notes] in notes.isStopped = true }
        return run(within: limit) { notes.isStopped }
    }

    var isStopped: Bool { notes.isStopped }

    // MARK: clients

    /// Another client, connected or on its way.
    func client(
        from host: [UInt8] = Stage.clientHost,
        to address: Transport.Address = Stage.listener
    ) -> ScriptedClient {
        clients += 1
        return ScriptedClient(
            from: Transport.Address(bytes: host, port: UInt16(40_000 + clients)),
            to: address,
            in: world
        )
    }

    /// Sends one request on a connection of its own and waits for its answer.
    @discardableResult
    func ask(_ request: String, from host: [UInt8] = Stage.clientHost) throws -> ClientAnswer {
        let client = client(from: host)
        client.send(request)
        run { !client.answers.isEmpty || client.hasEnded }
        return try #require(client.answers.first, "no answer; log: \(log.joined())")
    }

    // MARK: inside

    /// Runs `body` on the first loop and waits for its end.
    func onLoop<Outcome>(
        _ number: Int = 0,
        _ body: @escaping (LoopContext) async throws -> Outcome
    ) throws -> Outcome {
        let carrier = Carrier(body)
        loops[number].spawn { context in
            do {
                carrier.outcome = .success(try await carrier.body(context))
            } catch {
                carrier.outcome = .failure(error)
            }
        }
        run { carrier.outcome != nil }
        return try #require(carrier.outcome, "the body did not end").get()
    }

    /// Lets `serve` have the requests that come to another port.
    func listen(
        port: UInt16,
        serve: @escaping (Lane, Exchange, ClientConnection) async throws -> Void
    ) -> Transport.Address {
        let address = Transport.Address(bytes: Stage.listener.bytes, port: port)
        let carrier = ServiceCarrier(serve)
        loops[0].spawn { context in
            guard let listener = try? Socket.listening(at: address, backlog: 8, on: context) else {
                Issue.record("cannot listen at \(address)")
                return
            }
            await Lane.of(context).accept(from: listener, service: carrier)
        }
        return address
    }

    /// Carries a body into a loop that runs on this very thread.
    private final class Carrier<Outcome>: @unchecked Sendable {
        let body: (LoopContext) async throws -> Outcome
        var outcome: Result<Outcome, any Error>?
        init(_ body: @escaping (LoopContext) async throws -> Outcome) { self.body = body }
    }

    private final class ServiceCarrier: ClientService, @unchecked Sendable {
        let serve: (Lane, Exchange, ClientConnection) async throws -> Void
        init(_ serve: @escaping (Lane, Exchange, ClientConnection) async throws -> Void) {
            self.serve = serve
        }

        func serve(
            _ exchange: Exchange,
            to client: ClientConnection,
            on lane: Lane
        ) async throws(ExchangeError) {
            do {
                try await serve(lane, exchange, client)
            } catch let error as ExchangeError {
                throw error
            } catch {
                Issue.record(error)
            }
        }
    }
}
