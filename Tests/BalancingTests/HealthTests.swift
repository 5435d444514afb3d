import Testing

@testable import Balancing

@Suite struct `Health of a replica` {
    private func up() -> Health {
        var health = Health(now: start)
        _ = health.passed(rise: 2)
        return health
    }

    private func down() -> Health {
        var health = up()
        _ = health.refused()
        return health
    }

    @Test func `needs one pass when new`() {
        var health = Health(now: start)
        let cameUp = health.passed(rise: 2)
        #expect(cameUp && health.isProven)
    }

    @Test func `needs as many passes in a row as rise says when down`() {
        var health = down()
        #expect(health.passed(rise: 2) == false)
        #expect(health.failed(fall: 3) == false)
        #expect(health.passed(rise: 2) == false)
        #expect(health.passed(rise: 2) == true)
    }

    @Test func `goes down at as many failures in a row as fall says`() {
        var health = up()
        #expect(health.failed(fall: 3) == false)
        #expect(health.failed(fall: 3) == false)
        #expect(health.passed(rise: 2) == false)
        #expect(health.failed(fall: 3) == false)
        #expect(health.failed(fall: 3) == false)
        #expect(health.failed(fall: 3) == true)
    }

    @Test func `goes down at one refused connection`() {
        var health = up()
        #expect(health.refused() == true)
        #expect(health.isDown)
    }

    @Test func `tells of going down once`() {
        var health = down()
        #expect(health.refused() == false)
        #expect(health.failed(fall: 1) == false)
    }

    @Test func `needs one pass when it was down before it ever passed`() {
        var health = Health(now: start)
        _ = health.refused()
        #expect(health.passed(rise: 2) == true)
    }

    @Test func `is probed at once when new`() {
        #expect(Health(now: start).nextProbe == start)
    }

    private func interval(_ health: Health, stateSince: Duration = .zero, seed: UInt64 = 1)
        -> Duration
    {
        var health = health
        var random = SeededRandom(seed: seed)
        let now = start + stateSince
        health.plan(HealthOptions(), stateSince: start, now: now, using: &random)
        return health.nextProbe - now
    }

    @Test func `is probed at the interval, more or less a tenth`() {
        let intervals = (0..<200).map { interval(up(), seed: $0) }
        #expect(intervals.allSatisfy { $0 >= .milliseconds(4500) && $0 <= .milliseconds(5500) })
        #expect(Set(intervals).count > 100)
    }

    @Test func `is probed fast while failures add up`() {
        var health = up()
        _ = health.failed(fall: 3)
        #expect(interval(health) <= .milliseconds(550))
    }

    @Test func `is probed fast while passes add up`() {
        var health = down()
        _ = health.passed(rise: 2)
        #expect(interval(health, stateSince: .seconds(60)) <= .milliseconds(550))
    }

    @Test(arguments: [(0, true), (29, true), (30, false)])
    func `is probed fast for half a minute after going down`(second: Int, isFast: Bool) {
        #expect((interval(down(), stateSince: .seconds(second)) <= .milliseconds(550)) == isFast)
    }

    @Test func `is never probed in a tight loop`() {
        var health = up()
        var random = SeededRandom(seed: 1)
        let options = HealthOptions(interval: .zero)
        health.plan(options, stateSince: start, now: start, using: &random)
        #expect(health.nextProbe > start)
    }
}
