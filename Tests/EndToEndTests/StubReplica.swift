// The stand-in model server and the load, as a test sees them.

import Foundation

/// A running stand-in.
struct StubReplica {
    let child: Child
    let address: String

    /// What it has seen, by its own count.
    struct Stats: Decodable {
        var served: Int
        var aborted: Int
        var inFlight: Int
        var maxInFlight: Int
        var connections: Int
    }

    func stats() async throws -> Stats { try await StubReplica.stats(at: address) }

    /// Lets it answer the requests that came with `hold=true`.
    func release() async throws { _ = try await ask(address, "POST", "/release") }

    private static func stats(at address: String) async throws -> Stats {
        let reply = try await ask(address, "GET", "/stats")
        return try JSONDecoder().decode(Stats.self, from: Data(reply.body.utf8))
    }
}

/// What became of a load.
struct LoadResult: Decodable {
    var offered: Int
    var answered: Int
    var refused: Int
    var errors: Int
    var elsewhere: Int
    var resent: Int
    var outcomes: [String: Int]
    var p99: Double
}

/// A load that is being put on.
struct RunningLoad {
    let child: Child

    /// Waits for its end.
    func result(within limit: Duration = .seconds(30)) async throws -> LoadResult {
        _ = try await child.exitCode(within: limit)
        let line = child.outputText.split(separator: "\n").last ?? ""
        return try JSONDecoder().decode(LoadResult.self, from: Data(line.utf8))
    }
}

extension Stage {
    /// Starts a stand-in on a free port.
    func stub(_ options: String...) async throws -> StubReplica {
        let child = try start(Places.stubReplica, ["--port", "0"] + options, named: "stub")
        let address = try await eventually("a listening stub") {
            child.outputText.firstMatch(of: /listening at (\S+)\n/).map { String($0.1) }
        }
        return StubReplica(child: child, address: address)
    }

    /// Starts putting a load on a gateway.
    func load(_ address: String, _ options: String...) throws -> RunningLoad {
        RunningLoad(
            child: try start(Places.stubReplica, ["load", address] + options, named: "load")
        )
    }
}
