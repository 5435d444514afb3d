// A gateway on a loop of its own, and a client that asks it, for the tests of the admin address.

import Configuration
import Foundation
import Synchronization
import Telemetry
import Testing
import Transport

@testable import Gateway

/// One gateway that really listens; it is stopped by `stop`.
final class AdminStage: Sendable {
    let gateway: Gateway
    let bound: Bound
    private let loops: [Loop]
    private let stopped = DispatchSemaphore(value: 0)

    /// What the admin address answered.
    struct Answer {
        var status: Int
        var head: String
        var body: String

        /// A member of the body, which is a JSON object.
        func member(_ name: String) -> Any? {
            let object = try? JSONSerialization.jsonObject(with: Data(body.utf8))
            return (object as? [String: Any])?[name]
        }
    }

    struct NotStarted: Error { let why: String }

    /// Starts a gateway; ports are chosen by the kernel.
    init(
        loops count: Int = 1,
        reload: @escaping Reload = { $0(.unavailable("there is no file")) },
        _ change: (inout Configuration) -> Void = { _ in }
    ) throws {
        var configuration = Configuration()
        let anyPort = Configuration.Listener(address: .init(host: "127.0.0.1", port: 0))
        configuration.listeners = [anyPort]
        configuration.admin.address.port = 0
        configuration.shutdown.drainDelay = .zero
        configuration.shutdown.grace = .zero
        change(&configuration)
        loops = try (0..<count).map { index in
            Loop(index: index, network: try SystemNetwork(), bufferLimit: 64)
        }
        gateway = Gateway(
            configuration,
            in: Gateway.Surroundings(
                loops: loops,
                log: Log(now: { 0 }, sink: { _ in }),
                reload: reload
            )
        )
        for loop in loops { loop.start(name: "test-loop") }
        let outcome = Mutex<Result<Bound, StartError>?>(nil)
        let started = DispatchSemaphore(value: 0)
        gateway.start { result in
            outcome.withLock { $0 = result }
            started.signal()
        }
        _ = started.wait(timeout: .now() + 10)
        guard case .success(let bound) = outcome.withLock({ $0 }) else {
            throw NotStarted(why: "\(String(describing: outcome.withLock { $0 }))")
        }
        self.bound = bound
    }

    /// Has the gateway drain.
    func drain() { gateway.stop { [stopped] in stopped.signal() } }

    /// Whether the gateway has stopped by itself, at the latest after ten seconds.
    func hasStopped() -> Bool {
        guard stopped.wait(timeout: .now() + 10) == .success else { return false }
        stopped.signal()
        return true
    }

    /// Stops at once, whether it drains already or not, and ends the loops.
    func stop() {
        drain()
        drain()
        _ = hasStopped()
        for loop in loops { loop.stop() }
    }

    /// Asks the admin address and waits for its answer.
    func ask(_ method: String, _ target: String, _ fields: [String] = []) throws -> Answer {
        let request =
            (["\(method) \(target) HTTP/1.1", "Host: test", "Connection: close"] + fields)
            .joined(separator: "\r\n") + "\r\n\r\n"
        return try AdminStage.answer(in: send(request, to: bound.admin))
    }

    /// Sends bytes to one of the gateway's addresses; returns all that comes back.
    func send(_ text: String, to address: Transport.Address) throws -> String {
        let connection = try BlockingConnection.open(to: address, until: .now + .seconds(10))
        try connection.send(Array(text.utf8))
        var bytes: [UInt8] = []
        while try connection.receive(into: &bytes) {}
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func answer(in text: String) throws -> Answer {
        let parts = text.split(
            separator: "\r\n\r\n",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let head = String(try #require(parts.first))
        let status = try #require(Int(head.split(separator: " ").dropFirst().first ?? ""))
        return Answer(status: status, head: head, body: parts.count == 2 ? String(parts[1]) : "")
    }
}

/// Runs `body` with a gateway that is stopped afterwards.
func withAdminStage(
    loops: Int = 1,
    reload: @escaping Reload = { $0(.unavailable("there is no file")) },
    _ change: (inout Configuration) -> Void = { _ in },
    _ body: (AdminStage) throws -> Void
) throws {
    let stage = try AdminStage(loops: loops, reload: reload, change)
    defer { stage.stop() }
    try body(stage)
}

extension Configuration {
    /// Adds a pool of the replicas at `endpoints` and a route to it.
    mutating func addPool(_ name: String, path: String, _ endpoints: [(String, Int)] = []) {
        pools.append(
            Pool(
                name: name,
                source: .replicas(
                    endpoints.map { Replica(address: .init(host: $0.0, port: $0.1)) }
                )
            )
        )
        var route = Route(name: name, pool: name)
        route.path = .prefix(path)
        routes.append(route)
    }
}
