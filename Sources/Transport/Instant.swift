// Time on the loops: one integer.
//
// `ContinuousClock.Instant` may change its size with the runtime, so that every struct and async
// frame that holds one is laid out, copied and compared by calls through tables. Deadlines are on
// the way of every request.

internal import CLinux

/// A point in time of the monotonic clock, in whole nanoseconds.
@usableFromInline
package struct Instant: Comparable, Hashable, Sendable {
    /// Nanoseconds since the clock began; 292 years are enough for anybody.
    @usableFromInline
    package let nanoseconds: Int64

    /// An instant so many nanoseconds after the clock began.
    @inlinable
    package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    /// The kernel's monotonic clock now; for code outside the loops.
    package static var now: Instant { Instant(nanoseconds: sluice_monotonic_ns()) }

    @inlinable
    package static func < (one: Instant, other: Instant) -> Bool {
        one.nanoseconds < other.nanoseconds
    }

    /// Later by a duration, at most the end of time.
    @inlinable
    package static func + (instant: Instant, duration: Duration) -> Instant {
        let sum = instant.nanoseconds.addingReportingOverflow(duration.wholeNanoseconds)
        guard sum.overflow else { return Instant(nanoseconds: sum.partialValue) }
        return Instant(nanoseconds: duration < .zero ? .min : .max)
    }

    /// Moves the instant on by a duration.
    @inlinable
    package static func += (instant: inout Instant, duration: Duration) {
        instant = instant + duration
    }

    /// Earlier by a duration.
    @inlinable
    package static func - (instant: Instant, duration: Duration) -> Instant {
        instant + (.zero - duration)
    }

    /// The time from one instant to another.
    @inlinable
    package static func - (one: Instant, other: Instant) -> Duration {
        .nanoseconds(one.nanoseconds &- other.nanoseconds)
    }
}

extension Duration {
    /// Whole nanoseconds, clamped to what 64 bits hold.
    @inlinable
    package var wholeNanoseconds: Int64 {
        let attoseconds = attoseconds
        // Up to two and a half hours: a division of one word by a constant, where that of two is a
        // call; 10^9 is 2^9 × 5^9.
        if attoseconds >> 73 == 0 {
            return Int64(UInt64(truncatingIfNeeded: attoseconds >> 9) / 1_953_125)
        }
        return Int64(clamping: attoseconds / 1_000_000_000)
    }
}
