import Testing

@testable import Balancing

@Suite struct `Power of two choices` {
    @Test func `never picks the most loaded of three`() {
        var random = SeededRandom(seed: 2)
        let table = loads([0, 9, 1])
        let picks = Set(
            (0..<100).compactMap { _ in PowerOfTwoChoices.pick(from: table.span, using: &random) }
        )
        #expect(picks == [0, 2])
    }

    @Test func `always picks the less loaded of two`() {
        var random = SeededRandom(seed: 2)
        let table = loads([5, 4])
        #expect(
            (0..<50).allSatisfy { _ in
                PowerOfTwoChoices.pick(from: table.span, using: &random) == 1
            }
        )
    }

    @Test func `draws evenly among equals`() {
        var random = SeededRandom(seed: 2)
        let table = loads([1, 1, 1, 1])
        var counts = [0, 0, 0, 0]
        for _ in 0..<4_000 {
            if let picked = PowerOfTwoChoices.pick(from: table.span, using: &random) {
                counts[picked] += 1
            }
        }
        #expect(counts.allSatisfy { (850...1150).contains($0) })
    }
}
