import Testing

@testable import Balancing

@Suite struct `Consistent hash` {
    private func homes(_ table: [ReplicaLoad], keys: Int) -> [Int] {
        (0..<keys).compactMap { key in
            ConsistentHash.pick(from: table.span, key: UInt64(key), boundedLoad: 1.25)
        }
    }

    @Test func `keeps a key on its replica`() {
        let table = loads([0, 0, 0, 0])
        #expect(homes(table, keys: 100) == homes(table, keys: 100))
    }

    @Test func `spreads keys evenly`() {
        var counts = [Int](repeating: 0, count: 4)
        for home in homes(loads([0, 0, 0, 0]), keys: 8_000) { counts[home] += 1 }
        #expect(counts.allSatisfy { (1800...2200).contains($0) })
    }

    @Test func `spreads keys by weight`() {
        var counts = [0, 0]
        for home in homes(loads([0, 0], weights: [3, 1]), keys: 8_000) { counts[home] += 1 }
        #expect((5800...6200).contains(counts[0]))
    }

    @Test func `moves only the keys of a replica that goes`() {
        let all = loads([0, 0, 0, 0, 0])
        var fewer = all
        fewer[2].limit = 0
        fewer[2].isUsable = false
        for (before, after) in zip(homes(all, keys: 1_000), homes(fewer, keys: 1_000)) {
            #expect(before == 2 ? after != 2 : after == before)
        }
    }

    @Test func `passes over a replica that has more than its share`() {
        var table = loads([0, 0, 0, 0])
        let home = ConsistentHash.pick(from: table.span, key: 7, boundedLoad: 1.25) ?? 0
        table[home].inFlight = 4
        #expect(ConsistentHash.pick(from: table.span, key: 7, boundedLoad: 1.25) != home)
    }

    @Test func `comes back home when the load is even again`() {
        var table = loads([4, 4, 4, 4])
        let home = ConsistentHash.pick(from: table.span, key: 7, boundedLoad: 1.25) ?? 0
        table[home].inFlight += 1
        #expect(ConsistentHash.pick(from: table.span, key: 7, boundedLoad: 1.25) == home)
    }

    @Test func `uses a replica above its share rather than none`() {
        var table = loads([9, 0], limit: 10)
        table[1].limit = 0
        #expect(ConsistentHash.pick(from: table.span, key: 7, boundedLoad: 1) == 0)
    }

    @Test(arguments: [(1.0, 0.0), (2.718281828459045, 1.0), (0.5, -0.6931471805599453)])
    func `knows its logarithms`(value: Double, expected: Double) {
        #expect(abs(ConsistentHash.logarithm(value) - expected) < 1e-8)
    }

    @Test func `has a logarithm that never falls`() {
        let values = (1...10_000).map { ConsistentHash.logarithm(Double($0) / 10_000) }
        #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
    }
}
