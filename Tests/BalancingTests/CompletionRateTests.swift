import Testing

@testable import Balancing

@Suite struct `Completion rate` {
    private func measured(_ count: Int, each: Duration) -> CompletionRate {
        var rate = CompletionRate()
        for _ in 0..<count { rate.record(held: each, wasSuccess: true) }
        return rate
    }

    private func isNear(_ value: Double?, _ expected: Double) -> Bool {
        value.map { abs($0 - expected) < 0.001 * expected } ?? false
    }

    @Test func `is unknown without enough measurements`() {
        #expect(measured(7, each: .seconds(1)).perSecond(slots: 4) == nil)
    }

    @Test func `is slots over the time a slot is held`() {
        #expect(isNear(measured(8, each: .milliseconds(500)).perSecond(slots: 4), 8))
    }

    @Test func `is unknown without slots`() {
        #expect(measured(20, each: .seconds(1)).perSecond(slots: 0) == nil)
    }

    @Test func `follows a change of speed within some hundred completions`() {
        var rate = measured(1000, each: .seconds(1))
        for _ in 0..<300 { rate.record(held: .milliseconds(10), wasSuccess: true) }
        #expect(rate.perSecond(slots: 1) ?? 0 > 50)
    }

    @Test func `survives leases of no length`() {
        #expect(measured(20, each: .zero).perSecond(slots: 1) == nil)
    }

    @Test func `knows what a quick request takes`() {
        var rate = measured(5, each: .seconds(1))
        rate.record(held: .milliseconds(100), wasSuccess: true)
        #expect(abs(seconds(of: rate.quickest) - 0.1) < 0.001)
    }

    @Test func `lets the quickest rise again slowly`() {
        var rate = measured(1, each: .milliseconds(100))
        for _ in 0..<200 { rate.record(held: .seconds(1), wasSuccess: true) }
        #expect(rate.quickest > .milliseconds(900))
    }

    @Test func `does not call an abandoned lease quick`() {
        var rate = measured(1, each: .seconds(1))
        rate.record(held: .milliseconds(1), wasSuccess: false)
        #expect(rate.quickest > .milliseconds(900))
    }
}
