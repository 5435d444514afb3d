// How much work a pool has, as one gateway tells another; and what several of them say together.

/// One pool as one gateway sees it.
package struct PoolFigures: Codable, Sendable, Equatable {
    /// The pool's name.
    package var pool: String
    /// Requests in flight.
    package var inFlight: Int
    /// Requests that wait.
    package var waiting: Int
    /// Sum of the limits of usable replicas.
    package var capacity: Int
    /// Replicas that are there.
    package var replicas: Int
    /// Of those, that take work.
    package var ready: Int

    /// Makes it of its counts.
    package init(
        pool: String,
        inFlight: Int = 0,
        waiting: Int = 0,
        capacity: Int = 0,
        replicas: Int = 0,
        ready: Int = 0
    ) {
        self.pool = pool
        self.inFlight = inFlight
        self.waiting = waiting
        self.capacity = capacity
        self.replicas = replicas
        self.ready = ready
    }

    /// In flight and waiting.
    package var outstanding: Int { inFlight + waiting }

    /// Share of the capacity in use, 0…1; 1 when there is work and no capacity.
    package var saturation: Double {
        if capacity <= 0 { return outstanding > 0 ? 1 : 0 }
        return min(1, Double(inFlight) / Double(capacity))
    }

    /// Takes in what another gateway sees: work adds up, the replicas are the same ones.
    package mutating func add(_ other: PoolFigures) {
        inFlight = Self.sum(inFlight, other.inFlight)
        waiting = Self.sum(waiting, other.waiting)
        capacity = max(capacity, other.capacity)
        replicas = max(replicas, other.replicas)
        ready = max(ready, other.ready)
    }

    /// Nobody's nonsense makes it overflow or fall below zero.
    private static func sum(_ one: Int, _ other: Int) -> Int {
        min(max(one, 0), 1_000_000_000) + min(max(other, 0), 1_000_000_000)
    }
}

/// All pools as one gateway sees them.
package struct GatewayFigures: Codable, Sendable, Equatable {
    /// Tells gateways apart: one may be asked at two addresses.
    package var gateway: String
    /// Its pools.
    package var pools: [PoolFigures]

    /// Makes it of its parts.
    package init(gateway: String, pools: [PoolFigures]) {
        self.gateway = gateway
        self.pools = pools
    }

    /// The document that another gateway reads.
    package var document: [UInt8] { encoded(self) }

    /// Reads such a document.
    ///
    /// - Throws: `APIFailure.malformed`.
    package static func read(_ bytes: [UInt8]) throws(APIFailure) -> GatewayFigures {
        try decode(GatewayFigures.self, from: bytes)
    }

    /// What gateways say together, pools by name; one that is named twice counts once.
    package static func sum(_ figures: [GatewayFigures]) -> [PoolFigures] {
        var seen: Set<String> = []
        var pools: [String: PoolFigures] = [:]
        for figure in figures where seen.insert(figure.gateway).inserted {
            for pool in figure.pools {
                pools[pool.pool, default: PoolFigures(pool: pool.pool)].add(pool)
            }
        }
        return pools.sorted { $0.key < $1.key }.map(\.value)
    }
}
