// Time inside this module: one integer, where the clock's own instant would cost a call per copy.
//
// `ContinuousClock.Instant` may change its size with the runtime, so whatever stores one is laid
// out, copied and compared by calls through tables. A lease and its end took 3 µs with instants in
// the state and 0.4 µs with integers. So instants stay at the module's border.

/// An instant, in whole nanoseconds since the clock's epoch; 292 years are enough for anybody.
struct Moment: Comparable, Hashable, Sendable {
    let nanoseconds: Int64

    init(nanoseconds: Int64) {
        self.nanoseconds = nanoseconds
    }

    /// The moment of `instant`; what is out of range becomes the nearest that is in it.
    init(_ instant: ContinuousClock.Instant) {
        let sinceEpoch = instant - ContinuousClock().systemEpoch
        nanoseconds = Balancing.nanoseconds(of: sinceEpoch)
    }

    /// The clock's own form of it.
    var instant: ContinuousClock.Instant {
        ContinuousClock().systemEpoch + .nanoseconds(nanoseconds)
    }

    static func < (left: Moment, right: Moment) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// Later by `duration`, at most the end of time.
    static func + (moment: Moment, duration: Duration) -> Moment {
        let sum = moment.nanoseconds.addingReportingOverflow(Balancing.nanoseconds(of: duration))
        guard sum.overflow else { return Moment(nanoseconds: sum.partialValue) }
        return Moment(nanoseconds: duration < .zero ? .min : .max)
    }

    /// The time from `right` to `left`.
    static func - (left: Moment, right: Moment) -> Duration {
        let difference = left.nanoseconds.subtractingReportingOverflow(right.nanoseconds)
        guard difference.overflow else { return .nanoseconds(difference.partialValue) }
        return .nanoseconds(left < right ? Int64.min : .max)
    }
}

/// Whole nanoseconds of `duration`, clamped to what 64 bits hold.
func nanoseconds(of duration: Duration) -> Int64 {
    Int64(clamping: duration.attoseconds / 1_000_000_000)
}
