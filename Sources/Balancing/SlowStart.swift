// The ramp of a new or readmitted replica's limit, from 1 to its full value.

/// One ramp in progress.
///
/// Exact integer arithmetic, so that growth happens at the instant told.
struct SlowStart: Sendable, Equatable {
    let began: Moment
    /// Length of the ramp; more than zero.
    let duration: Duration

    /// When the full limit is reached.
    var end: Moment { began + duration }

    /// The limit at `now`, 1…full: 1 + ⌊(full − 1) · elapsed ÷ duration⌋.
    func limit(full: Int, now: Moment) -> Int {
        guard now > began else { return min(1, full) }
        guard now < end else { return full }
        let elapsed = Int128(now.nanoseconds - began.nanoseconds)
        return 1 + Int(Int128(full - 1) * elapsed / Int128(length))
    }

    /// The next instant at which the limit is larger than at `now`; `nil` when it is full.
    func nextGrowth(full: Int, now: Moment) -> Moment? {
        let steps = Int128(full - 1)
        let reached = Int128(limit(full: full, now: now))
        guard reached <= steps else { return nil }
        let elapsed = (reached * Int128(length) + steps - 1) / steps
        return Moment(nanoseconds: began.nanoseconds + Int64(elapsed))
    }

    /// The length in nanoseconds, at least 1.
    private var length: Int64 { max(end.nanoseconds - began.nanoseconds, 1) }
}
