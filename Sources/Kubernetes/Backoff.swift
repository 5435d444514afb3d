// How long to leave the API alone after a failure: longer each time, and never all at once.

/// Pauses that double from half a second to half a minute, each shortened by chance.
///
/// Many gateways lose the same API at the same moment; chance keeps them from coming back together.
package struct Backoff: Sendable, Equatable {
    /// The first pause at its longest.
    package static let first = Duration.milliseconds(500)
    /// No pause is longer, unless the API asks for it.
    package static let longest = Duration.seconds(30)

    /// Failures in a row.
    package private(set) var failures = 0

    /// Starts without any failure.
    package init() {}

    /// Counts a failure; returns the pause after it, between half of its longest and all of it.
    ///
    /// `random` is 64 random bits.
    package mutating func failed(random: UInt64) -> Duration {
        // 500 ms << 6 = 32 s.
        let longest = min(Self.first * (1 << min(failures, 6)), Self.longest)
        failures += 1
        let share = Double(random >> 11) / Double(1 << 53)
        return longest * (0.5 + 0.5 * share)
    }

    /// All is well again.
    package mutating func succeeded() { failures = 0 }
}
