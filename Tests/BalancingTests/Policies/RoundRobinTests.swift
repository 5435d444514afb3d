import Testing

@testable import Balancing

@Suite struct `Round robin` {
    private func picks(_ count: Int, _ table: [ReplicaLoad]) -> [Int] {
        var turns = RoundRobin()
        return (0..<count).compactMap { _ in turns.pick(from: table.span) }
    }

    @Test func `takes turns`() {
        #expect(picks(6, loads([0, 0, 0])) == [0, 1, 2, 0, 1, 2])
    }

    @Test func `skips the full`() {
        var table = loads([0, 0, 0])
        table[1].limit = 0
        #expect(picks(4, table) == [0, 2, 0, 2])
    }

    @Test func `gives turns by weight, spread over the cycle`() {
        #expect(picks(8, loads([0, 0], weights: [3, 1])) == [0, 1, 0, 0, 0, 1, 0, 0])
    }

    @Test func `starts a new cycle when the heaviest has no room`() {
        var turns = RoundRobin()
        var table = loads([0, 0], weights: [5, 1])
        for _ in 0..<4 { _ = turns.pick(from: table.span) }
        table[0].limit = 0
        #expect(turns.pick(from: table.span) == 1)
    }
}
