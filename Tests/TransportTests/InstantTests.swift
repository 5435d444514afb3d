import Testing
import Transport

@Suite struct `Instants` {
    private let start = Instant(nanoseconds: 1_000_000_000)

    @Test func `move by durations, both ways`() {
        #expect(start + .milliseconds(5) - .milliseconds(5) == start)
        #expect((start + .microseconds(3)).nanoseconds == 1_000_003_000)
        var moved = start
        moved += .seconds(2)
        #expect(moved - start == .seconds(2))
    }

    @Test func `are ordered by time`() {
        #expect(start < start + .nanoseconds(1))
        #expect(start - .nanoseconds(1) < start)
    }

    @Test func `stay at the end of time when a duration is too long for them`() {
        let end = Instant(nanoseconds: .max)
        #expect(start + .seconds(Int64.max) == end)
        #expect(end + .nanoseconds(1) == end)
        #expect(Instant(nanoseconds: .min) - .nanoseconds(1) == Instant(nanoseconds: .min))
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), 1), (.zero, 0), (.seconds(-1), -1_000_000_000),
        (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        (.seconds(9_444) + .nanoseconds(732_965_739), 9_444_732_965_739),
        (.seconds(9_444) + .nanoseconds(732_965_740), 9_444_732_965_740),
        (.seconds(Int64.max), Int(Int64.max)),
    ])
    func `count whole nanoseconds of a duration`(_ duration: Duration, _ nanoseconds: Int) {
        #expect(duration.wholeNanoseconds == Int64(nanoseconds))
    }
}
