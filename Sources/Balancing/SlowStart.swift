// The ramp of a new or readmitted replica's limit, from 1 to its full value.

/// One ramp in progress.
///
/// Exact integer arithmetic, so that growth happens at the instant told.
struct SlowStart: Sendable, Equatable {
    let began: ContinuousClock.Instant
    /// Length of the ramp; more than zero.
    let duration: Duration

    /// When the full limit is reached.
    var end: ContinuousClock.Instant { began + duration }

    /// The limit at `now`, 1…full: 1 + ⌊(full − 1) · elapsed ÷ duration⌋.
    func limit(full: Int, now: ContinuousClock.Instant) -> Int {
        guard now > began else { return min(1, full) }
        guard now < end else { return full }
        let elapsed = (now - began).attoseconds
        return 1 + Int(Int128(full - 1) * elapsed / duration.attoseconds)
    }

    /// The next instant at which the limit is larger than at `now`; `nil` when it is full.
    func nextGrowth(full: Int, now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
        let steps = Int128(full - 1)
        let reached = Int128(limit(full: full, now: now))
        guard reached <= steps else { return nil }
        let elapsed = (reached * duration.attoseconds + steps - 1) / steps
        return began + Duration(attoseconds: elapsed)
    }
}
