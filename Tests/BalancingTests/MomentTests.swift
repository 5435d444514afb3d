import Testing

@testable import Balancing

@Suite struct `Moments` {
    @Test func `come back as the instant they were`() {
        #expect(Moment(start).instant == start)
        let later = start + .nanoseconds(1_234_567_891)
        #expect(Moment(later).instant == later)
    }

    @Test func `are ordered as instants are`() {
        #expect(Moment(start) < Moment(start + .nanoseconds(1)))
    }

    @Test func `add and subtract as instants do`() {
        let sum = origin + .milliseconds(5)
        #expect(sum == Moment(start + .milliseconds(5)))
        #expect(sum - origin == .milliseconds(5))
        #expect(origin - sum == .milliseconds(-5))
    }

    @Test func `end with the last that fits`() {
        let last = Moment(nanoseconds: .max)
        #expect(origin + .seconds(1e15) == last)
        #expect(Moment(start + .seconds(1e15)) == last)
        #expect(last + .seconds(1) == last)
        #expect(last - Moment(nanoseconds: .min) == .nanoseconds(Int64.max))
    }
}
