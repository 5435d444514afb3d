// Chance that can be repeated: everything random in a world comes from one number.

import Glibc

/// A SplitMix64 generator: small, fast, and the same on every machine.
package struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// A generator of its own for one part of the world, so that parts do not disturb each other.
    package mutating func split() -> SeededGenerator { SeededGenerator(seed: next()) }

    /// True with the given probability, 0 to 1.
    package mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && unit() < probability
    }

    /// A number of the range.
    package mutating func number(in range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.upperBound - range.lowerBound + 1))
    }

    /// A number from 0 up to, not including, 1.
    package mutating func unit() -> Double { Double(next() >> 11) / 9_007_199_254_740_992 }

    /// A duration of the range, evenly spread.
    package mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        let low = range.lowerBound.nanoseconds
        let width = range.upperBound.nanoseconds - low
        return .nanoseconds(low + Int64(next() % UInt64(width + 1)))
    }

    /// A duration of exponential distribution; at most 20 times the mean.
    package mutating func exponential(mean: Duration) -> Duration {
        guard mean > .zero else { return .zero }
        let share = min(20, -log(1 - unit()))
        return .nanoseconds(Int64(Double(mean.nanoseconds) * share))
    }

    /// One element; the array must not be empty.
    package mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[number(in: 0...elements.count - 1)]
    }
}

extension Duration {
    /// Whole nanoseconds, rounded towards zero.
    package var nanoseconds: Int64 {
        components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000
    }
}
