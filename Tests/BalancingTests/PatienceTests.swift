import Testing

@testable import Balancing

@Suite struct `A pool's patience` {
    /// What is too long after `count` answers, each of which took what `took` says.
    private func limit(
        _ count: Int,
        _ timeout: AttemptTimeout = .automatic,
        took: (Int) -> Duration
    ) -> Duration? {
        var patience = Patience(timeout)
        for number in 0..<count { patience.record(took(number)) }
        return patience.nanoseconds.map { .nanoseconds($0) }
    }

    @Test func `says nothing before a hundred answers`() {
        #expect(limit(99) { _ in .milliseconds(1) } == nil)
        #expect(limit(100) { _ in .milliseconds(1) } != nil)
    }

    @Test func `is a tenth of a second where answers are quick`() {
        #expect(limit(500) { _ in .milliseconds(3) } == .milliseconds(100))
        #expect(limit(500) { _ in .zero } == .milliseconds(100))
    }

    @Test(arguments: [Duration.milliseconds(50), .seconds(1), .seconds(4), .seconds(100)])
    func `is three times what is usual, and at most a quarter more`(usual: Duration) throws {
        let limit = try #require(limit(500) { _ in usual })
        #expect(limit >= usual * 3)
        #expect(limit <= usual * 3 * 5 / 4 + .microseconds(1))
    }

    @Test func `is not moved by what is rarer than one in a hundred`() {
        let limit = limit(1000) { $0 % 200 == 7 ? .seconds(60) : .milliseconds(3) }
        #expect(limit == .milliseconds(100))
    }

    @Test func `allows for what is slow but not rare`() throws {
        let limit = try #require(limit(1000) { $0 % 50 == 7 ? .seconds(10) : .milliseconds(3) })
        #expect(limit >= .seconds(30))
    }

    @Test func `follows a pool that becomes quick, and one that becomes slow`() throws {
        let quicker = limit(6000) { $0 < 2000 ? .seconds(5) : .milliseconds(3) }
        #expect(quicker == .milliseconds(100))
        let slower = try #require(limit(2200) { $0 < 2000 ? .milliseconds(3) : .seconds(5) })
        #expect(slower >= .seconds(15))
    }

    @Test func `is what the operator says, whatever is learned`() {
        #expect(limit(500, .fixed(.seconds(7))) { _ in .milliseconds(3) } == .seconds(7))
        #expect(limit(0, .fixed(.seconds(7))) { _ in .zero } == .seconds(7))
        #expect(limit(500, .off) { _ in .milliseconds(3) } == nil)
    }

    @Test func `keeps what it has learned under a new setting`() {
        var patience = Patience(.automatic)
        for _ in 0..<200 { patience.record(.milliseconds(3)) }
        patience.configure(.off)
        #expect(patience.nanoseconds == nil)
        patience.configure(.automatic)
        #expect(patience.nanoseconds == 100_000_000)
    }

    @Test func `takes any duration`() throws {
        for duration in [Duration.seconds(-5), .seconds(Int64.max / 2), .nanoseconds(1)] {
            #expect(limit(200) { _ in duration } != nil)
        }
    }
}
