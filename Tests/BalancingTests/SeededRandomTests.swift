import Testing

@testable import Balancing

@Suite struct `Seeded random` {
    @Test func `replays from its seed`() {
        var one = SeededRandom(seed: 7)
        var other = SeededRandom(seed: 7)
        #expect((0..<100).allSatisfy { _ in one.next() == other.next() })
    }

    @Test func `differs between seeds`() {
        var one = SeededRandom(seed: 7)
        var other = SeededRandom(seed: 8)
        #expect(one.next() != other.next())
    }
}
