import Testing

@testable import Balancing

@Suite struct `Slow start` {
    private let ramp = SlowStart(began: start, duration: .seconds(30))

    @Test(arguments: [(-1, 1), (0, 1), (9, 1), (10, 2), (20, 3), (29, 3), (30, 4), (99, 4)])
    func `ramps from one to the full limit`(second: Int, limit: Int) {
        #expect(ramp.limit(full: 4, now: start + .seconds(second)) == limit)
    }

    @Test(arguments: [2, 3, 7, 64, 1000])
    func `grows at exactly the instants it tells`(full: Int) throws {
        var now = start
        for limit in 1..<full {
            #expect(ramp.limit(full: full, now: now) == limit)
            now = try #require(ramp.nextGrowth(full: full, now: now))
            #expect(ramp.limit(full: full, now: now + .nanoseconds(-1)) == limit)
        }
        #expect(ramp.limit(full: full, now: now) == full)
        #expect(ramp.nextGrowth(full: full, now: now) == nil)
    }

    @Test func `has nothing to grow at a limit of one`() {
        #expect(ramp.limit(full: 1, now: start) == 1)
        #expect(ramp.nextGrowth(full: 1, now: start) == nil)
    }
}
