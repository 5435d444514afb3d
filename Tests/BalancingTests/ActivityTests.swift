import Testing

@testable import Balancing

@Suite struct `Activity of a replica` {
    private let options = PoolOptions()

    @Test func `excuses nothing when idle for long`() {
        #expect(!Activity().excusesTimeout(options, now: origin))
    }

    @Test(arguments: [(10, true), (11, false)])
    func `excuses a timeout within the busy window of the last progress`(
        silence: Int,
        isExcused: Bool
    ) {
        var activity = Activity()
        activity.began(now: origin)
        activity.progressed(now: origin + .seconds(1))
        let now = origin + .seconds(1 + silence)
        #expect(activity.excusesTimeout(options, now: now) == isExcused)
    }

    @Test func `counts the first lease as the start of the silence`() {
        var activity = Activity()
        activity.began(now: origin)
        #expect(activity.excusesTimeout(options, now: origin + .seconds(9)))
    }

    @Test func `learns that one prediction is silent for half a minute`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.progressed(now: origin + .seconds(30))
        activity.ended(withProgress: true, now: origin + .seconds(30))
        activity.began(now: origin + .seconds(60))
        #expect(activity.excusesTimeout(options, now: origin + .seconds(100)))
    }

    @Test func `forgets a long silence after many short ones`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.progressed(now: origin + .seconds(60))
        for step in 1...600 {
            activity.progressed(now: origin + .seconds(60) + .milliseconds(50 * step))
        }
        #expect(!activity.excusesTimeout(options, now: origin + .seconds(90 + 11)))
    }

    @Test func `excuses a probe that waited behind the last request`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.ended(withProgress: true, now: origin + .seconds(20))
        #expect(activity.excusesTimeout(options, now: origin + .seconds(22)))
    }

    @Test func `does not excuse by a request that only gave up`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.ended(withProgress: false, now: origin + .seconds(20))
        #expect(!activity.excusesTimeout(options, now: origin + .seconds(20)))
    }

    @Test func `calls silence a stall only with something in flight`() {
        var activity = Activity()
        #expect(activity.stallDue(after: .seconds(5)) == nil)
        activity.began(now: origin)
        #expect(activity.stallDue(after: .seconds(5)) == origin + .seconds(5))
    }

    @Test func `moves the stall with progress`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.progressed(now: origin + .seconds(3))
        #expect(activity.stallDue(after: .seconds(5)) == origin + .seconds(8))
    }

    @Test func `looks at an excused stall again one stall later`() {
        var activity = Activity()
        activity.began(now: origin)
        activity.excuseStall(now: origin + .seconds(5))
        #expect(activity.stallDue(after: .seconds(5)) == origin + .seconds(10))
    }
}
