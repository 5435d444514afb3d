// How a replica is chosen: the closed list of policies and what they look at.

/// The policies a pool may have.
package enum PolicyKind: Hashable, Sendable {
    /// Least in flight per slot and weight; ties rotate.
    case leastConnections
    /// In turn, by weight.
    case roundRobin
    /// The less loaded of two drawn at random.
    case powerOfTwo
    /// Least expected latency: a peak-sensitive average times the requests in flight.
    case peakEWMA
    /// By affinity key; a replica is passed over when it holds more than `boundedLoad` times
    /// its share of the requests in flight. Requests without a key go to the least loaded.
    case consistentHash(boundedLoad: Double = 1.25)
}

/// One replica as a policy sees it.
///
/// A policy may pick it only when it has room.
struct ReplicaLoad: Sendable {
    /// Leases not yet ended.
    var inFlight = 0
    /// Most in flight for new work right now; 0 when it may take none.
    var limit = 0
    /// The configured weight, 1…1000.
    var weight = 1
    /// Stable over restarts and equal on all gateways: a hash of the endpoint.
    let identity: UInt64
    /// What recent successes took; kept for every policy, so that a switch starts informed.
    var latency = PeakLatency()
    /// Whether it is in service, with or without room.
    var isUsable = false

    var hasRoom: Bool { inFlight < limit }

    /// Whether this replica has strictly less work per slot and weight than `other`; both have a
    /// limit.
    ///
    /// Cross-multiplied: exact, no division.
    func isLessLoaded(than other: ReplicaLoad) -> Bool {
        inFlight * (other.limit * other.weight) < other.inFlight * (limit * weight)
    }
}

/// A policy with its cursor.
///
/// The pool's lock guards it.
struct Policy: Sendable {
    var kind: PolicyKind
    private var cursor = 0
    private var turns = RoundRobin()

    init(_ kind: PolicyKind) {
        self.kind = kind
    }

    /// The index of the replica to use, or `nil` when none has room.
    ///
    /// O(replicas).
    mutating func pick(
        from loads: Span<ReplicaLoad>,
        key: UInt64?,
        now: Moment,
        using random: inout SeededRandom
    ) -> Int? {
        switch kind {
        case .leastConnections:
            return leastWork(from: loads)
        case .roundRobin:
            return turns.pick(from: loads)
        case .powerOfTwo:
            return PowerOfTwoChoices.pick(from: loads, using: &random)
        case .peakEWMA:
            let picked = PeakEWMA.pick(from: loads, startingAt: cursor, now: now)
            if let picked { cursor = picked + 1 }
            return picked
        case .consistentHash(let boundedLoad):
            guard let key else { return leastWork(from: loads) }
            return ConsistentHash.pick(from: loads, key: key, boundedLoad: boundedLoad)
        }
    }

    private mutating func leastWork(from loads: Span<ReplicaLoad>) -> Int? {
        let picked = LeastWork.pick(from: loads, startingAt: cursor)
        if let picked { cursor = picked + 1 }
        return picked
    }
}
