import Testing

@testable import Balancing

@Suite struct `Least connections` {
    @Test func `picks the least in flight`() {
        #expect(LeastWork.pick(from: loads([3, 1, 2]).span, startingAt: 0) == 1)
    }

    @Test func `compares per slot`() {
        var table = loads([4, 2])
        table[0].limit = 16
        table[1].limit = 4
        #expect(LeastWork.pick(from: table.span, startingAt: 1) == 0)
    }

    @Test func `compares per weight`() {
        let table = loads([2, 1], weights: [3, 1])
        #expect(LeastWork.pick(from: table.span, startingAt: 1) == 0)
    }

    @Test(arguments: [(0, 0), (1, 2), (2, 2), (3, 0), (99, 0)])
    func `rotates among equals`(cursor: Int, picked: Int) {
        #expect(LeastWork.pick(from: loads([1, 5, 1]).span, startingAt: cursor) == picked)
    }

    @Test func `gives idle replicas equal shares`() {
        var policy = Policy(.leastConnections)
        var random = SeededRandom(seed: 1)
        let table = loads([0, 0, 0])
        let picks = (0..<9).compactMap { _ in
            policy.pick(from: table.span, key: nil, now: start, using: &random)
        }
        #expect(picks == [0, 1, 2, 0, 1, 2, 0, 1, 2])
    }
}
