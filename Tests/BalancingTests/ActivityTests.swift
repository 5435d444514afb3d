import Testing

@testable import Balancing

@Suite struct `Activity of a replica` {
    private let options = PoolOptions()

    @Test func `excuses nothing when idle for long`() {
        #expect(!Activity().excusesTimeout(options, now: start))
    }

    @Test(arguments: [(10, true), (11, false)])
    func `excuses a timeout within the busy window of the last progress`(
        silence: Int,
        isExcused: Bool
    ) {
        var activity = Activity()
        activity.began(now: start)
        activity.progressed(now: start + .seconds(1))
        let now = start + .seconds(1 + silence)
        #expect(activity.excusesTimeout(options, now: now) == isExcused)
    }

    @Test func `counts the first lease as the start of the silence`() {
        var activity = Activity()
        activity.began(now: start)
        #expect(activity.excusesTimeout(options, now: start + .seconds(9)))
    }

    @Test func `learns that one prediction is silent for half a minute`() {
        var activity = Activity()
        activity.began(now: start)
        activity.progressed(now: start + .seconds(30))
        activity.ended(withProgress: true, now: start + .seconds(30))
        activity.began(now: start + .seconds(60))
        #expect(activity.excusesTimeout(options, now: start + .seconds(100)))
    }

    @Test func `forgets a long silence after many short ones`() {
        var activity = Activity()
        activity.began(now: start)
        activity.progressed(now: start + .seconds(60))
        for step in 1...600 {
            activity.progressed(now: start + .seconds(60) + .milliseconds(50 * step))
        }
        #expect(!activity.excusesTimeout(options, now: start + .seconds(90 + 11)))
    }

    @Test func `excuses a probe that waited behind the last request`() {
        var activity = Activity()
        activity.began(now: start)
        activity.ended(withProgress: true, now: start + .seconds(20))
        #expect(activity.excusesTimeout(options, now: start + .seconds(22)))
    }

    @Test func `does not excuse by a request that only gave up`() {
        var activity = Activity()
        activity.began(now: start)
        activity.ended(withProgress: false, now: start + .seconds(20))
        #expect(!activity.excusesTimeout(options, now: start + .seconds(20)))
    }

    @Test func `calls silence a stall only with something in flight`() {
        var activity = Activity()
        #expect(activity.stallDue(after: .seconds(5)) == nil)
        activity.began(now: start)
        #expect(activity.stallDue(after: .seconds(5)) == start + .seconds(5))
    }

    @Test func `moves the stall with progress`() {
        var activity = Activity()
        activity.began(now: start)
        activity.progressed(now: start + .seconds(3))
        #expect(activity.stallDue(after: .seconds(5)) == start + .seconds(8))
    }

    @Test func `looks at an excused stall again one stall later`() {
        var activity = Activity()
        activity.began(now: start)
        activity.excuseStall(now: start + .seconds(5))
        #expect(activity.stallDue(after: .seconds(5)) == start + .seconds(10))
    }
}
