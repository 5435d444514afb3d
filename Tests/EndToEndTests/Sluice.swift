// A running gateway, as a test sees it.

import Foundation
import Glibc

/// The built gateway with a configuration of the test's.
final class Sluice {
    let child: Child
    let file: String
    let address: String
    /// Where it listens, in the order of the listeners.
    let addresses: [String]
    let admin: String
    private let settings: String
    private let listener: String
    private let adminWanted: String

    fileprivate init(
        child: Child,
        file: String,
        address: String,
        addresses: [String],
        admin: String,
        settings: String,
        listener: String,
        adminWanted: String
    ) {
        self.listener = listener
        self.adminWanted = adminWanted
        self.child = child
        self.file = file
        self.address = address
        self.addresses = addresses
        self.admin = admin
        self.settings = settings
    }

    /// What every test's file begins with.
    fileprivate static func text(
        _ settings: String,
        _ parts: String,
        _ listener: String,
        _ admin: String
    ) -> String {
        """
        {
          listeners: [{ address: "127.0.0.1:0", \(listener) }],
          admin: { \(admin) },
          \(settings)
          \(parts)
        }
        """
    }

    /// Replaces its file, as editors do: a new one takes the old one's place.
    func rewrite(_ parts: String) throws {
        try Sluice.text(settings, parts, listener, adminWanted).write(
            toFile: file,
            atomically: true,
            encoding: .utf8
        )
    }

    /// What it has said so far.
    var log: String { child.errorText }

    /// Waits until it says something that contains `text`.
    func waits(for text: String, within limit: Duration = .seconds(10)) async throws {
        try await eventually("\"\(text)\" in the log", within: limit) {
            self.log.contains(text)
        }
    }

    /// What is at its admin address.
    func status() async throws -> Status {
        let reply = try await ask(admin, "GET", "/status")
        return try JSONDecoder().decode(Status.self, from: Data(reply.body.utf8))
    }

    /// The sum of the values of all series of a metric whose labels contain `labels`.
    func metric(_ name: String, _ labels: String = "") async throws -> Double {
        let reply = try await ask(admin, "GET", "/metrics")
        var sum = 0.0
        for line in reply.body.split(separator: "\n") where line.hasPrefix(name) {
            let rest = line.dropFirst(name.count)
            guard rest.first == "{" || rest.first == " ",
                labels.isEmpty || rest.contains(labels)
            else { continue }
            sum += Double(rest.split(separator: " ").last ?? "") ?? 0
        }
        return sum
    }

    /// How many replicas of its pools are in a state now.
    func replicas(_ state: String = "ready") async throws -> Int {
        try await status().pools.flatMap(\.replicas).filter { $0.state == state }.count
    }

    /// Waits until so many replicas are ready.
    func waitsForReady(_ count: Int, within limit: Duration = .seconds(10)) async throws {
        try await eventually("\(count) replicas that are ready", within: limit) {
            try await self.replicas() == count
        }
    }
}

/// The part of `/status` that the tests read.
struct Status: Decodable {
    struct Pool: Decodable {
        struct Replica: Decodable {
            var endpoint: String
            var state: String
            var inFlight: Int
        }
        var name: String
        var replicas: [Replica]
    }
    var generation: Int
    var pools: [Pool]
}

extension Stage {
    /// Starts a gateway with `pools` and `routes`, and waits until it listens.
    ///
    /// What else there is to say stands in `settings`, each with a comma behind it.
    func sluice(
        _ parts: String,
        settings: String = #"shutdown: { drainDelay: "300ms", grace: "5s" },"#,
        listener: String = "",
        admin: String = #"address: "127.0.0.1:0""#,
        options: [String] = [],
        environment: [String: String] = [:]
    ) async throws -> Sluice {
        let text = Sluice.text(settings, parts, listener, admin)
        let file = try write(text, to: "sluice-\(UUID().uuidString).json5")
        let child = try start(
            Places.sluice,
            ["serve"] + options + [file],
            environment: environment
        )
        let own = try await eventually("a listening gateway") { () -> String? in
            if let status = child.status {
                throw Missing(description: "sluice ended (\(status)): \(child.errorText)")
            }
            return child.errorText.firstMatch(of: /\ admin listening at (\S+)\n/)
                .map { String($0.1) }
        }
        let found = child.errorText.matches(of: /\ listener listening at (\S+)\n/)
            .map { String($0.1) }
        return Sluice(
            child: child,
            file: file,
            address: found[0],
            addresses: found,
            admin: own,
            settings: settings,
            listener: listener,
            adminWanted: admin
        )
    }

    /// Starts a gateway in front of stand-ins that run already; every route leads to them.
    func sluice(
        before replicas: [StubReplica],
        pool: String = "",
        route: String = "",
        settings: String = #"shutdown: { drainDelay: "300ms", grace: "5s" },"#,
        listener: String = "",
        environment: [String: String] = [:]
    ) async throws -> Sluice {
        try await sluice(
            Stage.parts(before: replicas, pool: pool, route: route),
            settings: settings,
            listener: listener,
            environment: environment
        )
    }

    /// One pool with those replicas, and a route that takes everything.
    static func parts(
        before replicas: [StubReplica],
        pool: String = "",
        route: String = ""
    ) -> String {
        let addresses = replicas.map { "\"\($0.address)\"" }.joined(separator: ", ")
        let health = pool.contains("health:") ? "" : "health: { path: \"/health\" },"
        return """
            pools: { model: {
              replicas: [\(addresses)], \(health) slowStart: "0s", \(pool) } },
            routes: [{ path: "/", pool: "model", \(route) }],
            """
    }

    /// One pool of local stand-ins.
    static func processes(_ options: [String], _ processes: String, pool: String = "") -> String {
        let command = ([Places.stubReplica] + options).map { "\"\($0)\"" }.joined(separator: ", ")
        return """
            pools: { model: {
              processes: { command: [\(command)], \(processes) },
              health: { path: "/health" }, slowStart: "0s", \(pool) } },
            routes: [{ path: "/", pool: "model", idempotent: true }],
            """
    }
}
