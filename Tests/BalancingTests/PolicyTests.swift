import Testing

@testable import Balancing

/// Loads for policies, from a short table.
func loads(
    _ inFlight: [Int],
    limit: Int = 10,
    weights: [Int]? = nil
) -> [ReplicaLoad] {
    inFlight.enumerated().map { index, count in
        var load = ReplicaLoad(identity: AffinityHash.key(of: "replica-\(index)"))
        load.inFlight = count
        load.limit = limit
        load.isUsable = true
        load.weight = weights?[index] ?? 1
        return load
    }
}

@Suite struct `Policies` {
    static let all: [PolicyKind] = [
        .leastConnections, .roundRobin, .powerOfTwo, .peakEWMA, .consistentHash(),
    ]

    @Test(arguments: all)
    func `never pick a replica without room`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        let table = loads([1, 0, 1, 1, 0], limit: 1)
        for key in 0..<100 {
            let picked = policy.pick(
                from: table.span,
                key: UInt64(key),
                now: start,
                using: &random
            )
            #expect(picked == 1 || picked == 4)
        }
    }

    @Test(arguments: all)
    func `pick a replica whenever one has room`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        for free in 0..<7 {
            var table = loads([Int](repeating: 1, count: 7), limit: 1)
            table[free].inFlight = 0
            let picked = policy.pick(from: table.span, key: 9, now: start, using: &random)
            #expect(picked == free)
        }
    }

    @Test(arguments: all)
    func `pick nothing when all are full`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        let table = loads([2, 2], limit: 2)
        #expect(policy.pick(from: table.span, key: 1, now: start, using: &random) == nil)
    }

    @Test(arguments: all)
    func `pick nothing from nobody`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        let nobody: [ReplicaLoad] = []
        #expect(policy.pick(from: nobody.span, key: 1, now: start, using: &random) == nil)
    }

    @Test(arguments: all)
    func `go on when replicas have gone since the last pick`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        let many = loads([0, 0, 0, 0, 0])
        for _ in 0..<5 { _ = policy.pick(from: many.span, key: 1, now: start, using: &random) }
        let one = loads([0])
        #expect(policy.pick(from: one.span, key: 1, now: start, using: &random) == 0)
    }

    @Test(arguments: all)
    func `use all replicas of a pool in the long run`(kind: PolicyKind) {
        var policy = Policy(kind)
        var random = SeededRandom(seed: 5)
        let table = loads([0, 0, 0, 0])
        let picked = (0..<200).compactMap {
            policy.pick(
                from: table.span,
                key: SeededRandom.mix($0),
                now: start,
                using: &random
            )
        }
        #expect(Set(picked).count == 4)
    }

    @Test func `fall back to the least loaded for requests without a key`() {
        var policy = Policy(.consistentHash())
        var random = SeededRandom(seed: 5)
        let table = loads([3, 1, 2])
        #expect(policy.pick(from: table.span, key: nil, now: start, using: &random) == 1)
    }
}
