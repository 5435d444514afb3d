import Testing

@testable import Balancing

@Suite struct `Moments` {
    @Test func `are ordered by time`() {
        #expect(start < start + .nanoseconds(1))
        #expect(start + .nanoseconds(-1) < start)
    }

    @Test func `add and subtract durations`() {
        let sum = start + .milliseconds(5)
        #expect(sum.nanoseconds == start.nanoseconds + 5_000_000)
        #expect(sum - start == .milliseconds(5))
        #expect(start - sum == .milliseconds(-5))
    }

    @Test func `end with the last that fits`() {
        let last = Moment(nanoseconds: .max)
        #expect(start + .seconds(1e15) == last)
        #expect(last + .seconds(1) == last)
        #expect(last - Moment(nanoseconds: .min) == .nanoseconds(Int64.max))
    }

    @Test(arguments: [
        (Duration.nanoseconds(1), 1), (.zero, 0), (.seconds(-1), -1_000_000_000),
        (Duration(secondsComponent: 0, attosecondsComponent: 999_999_999), 0),
        (.seconds(9_444) + .nanoseconds(732_965_739), 9_444_732_965_739),
        (.seconds(9_444) + .nanoseconds(732_965_740), 9_444_732_965_740),
        (.seconds(Int64.max), Int(Int64.max)), (.seconds(Int64.min), Int(Int64.min)),
    ])
    func `count whole nanoseconds of a duration`(_ duration: Duration, _ count: Int) {
        #expect(duration.wholeNanoseconds == Int64(count))
    }
}
