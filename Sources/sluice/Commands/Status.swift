// What `/status` says, as far as `sluice top` shows it.

/// The gateway at one instant.
struct Status: Decodable, Equatable {
    struct Connections: Decodable, Equatable {
        var open: Int
        var limit: Int
    }

    struct LastReload: Decodable, Equatable {
        var succeeded: Bool
    }

    struct Queue: Decodable, Equatable {
        var waiters: Int
        var limit: Int
        var oldestSeconds: Double
    }

    struct Replica: Decodable, Equatable {
        var endpoint: String
        var state: String
        var why: String
        var inFlight: Int
        var concurrency: Int
        var latencySeconds: Double?
    }

    struct Pool: Decodable, Equatable {
        var name: String
        var capacity: Int
        var inFlight: Int
        /// Exchanges that have ended since the start.
        var ended: Int
        var desiredReplicas: Int
        var queue: Queue
        var replicas: [Replica]
    }

    var version: String
    var phase: String
    var generation: Int
    var uptimeSeconds: Double
    var connections: Connections
    var reload: LastReload
    var pools: [Pool]
}
