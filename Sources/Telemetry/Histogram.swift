// Latency histograms with fixed buckets, observed by several loops at once without a lock.
import Synchronization

/// A histogram of durations.
///
/// Each observation is one comparison with a bound and two relaxed atomic additions, no lock and no
/// allocation. Every loop writes its own stripe, so loops do not fight for a cache line.
package final class Histogram: Sendable {
    /// What the buckets are made for.
    package enum Scale: Sendable, Equatable, CaseIterable {
        /// Requests and waiting: 1 ms to 240 s.
        case requests
        /// What a loop does at one go: 50 µs to 10 s.
        case work

        /// Upper bounds of the finite buckets as Prometheus spells them (`le`), in seconds.
        package var boundsText: [String] {
            switch self {
            case .requests: Scale.requestsText
            case .work: Scale.workText
            }
        }

        private static let requestsText = [
            "0.001", "0.002", "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
            "1", "2.5", "5", "10", "30", "60", "120", "240",
        ]
        private static let workText = [
            "0.00005", "0.0001", "0.00025", "0.0005", "0.001", "0.0025", "0.005", "0.01",
            "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10",
        ]

        /// The same bounds in ticks of 2^15 attoseconds, rounded down as durations are.
        ///
        /// One millisecond is 10^15 = 2^15 × 5^15 attoseconds, so whole milliseconds are exact in
        /// ticks and a duration becomes ticks by a shift instead of a 128-bit division.
        var boundsTicks: InlineArray<17, UInt64> {
            switch self {
            case .requests: Scale.requestsTicks
            case .work: Scale.workTicks
            }
        }

        private static let requestsTicks: InlineArray<17, UInt64> = [
            30_517_578_125,
            61_035_156_250,
            152_587_890_625,
            305_175_781_250,
            762_939_453_125,
            1_525_878_906_250,
            3_051_757_812_500,
            7_629_394_531_250,
            15_258_789_062_500,
            30_517_578_125_000,
            76_293_945_312_500,
            152_587_890_625_000,
            305_175_781_250_000,
            915_527_343_750_000,
            1_831_054_687_500_000,
            3_662_109_375_000_000,
            7_324_218_750_000_000,
        ]
        private static let workTicks: InlineArray<17, UInt64> = [
            1_525_878_906,
            3_051_757_812,
            7_629_394_531,
            15_258_789_062,
            30_517_578_125,
            76_293_945_312,
            152_587_890_625,
            305_175_781_250,
            762_939_453_125,
            1_525_878_906_250,
            3_051_757_812_500,
            7_629_394_531_250,
            15_258_789_062_500,
            30_517_578_125_000,
            76_293_945_312_500,
            152_587_890_625_000,
            305_175_781_250_000,
        ]
    }

    static let ticksPerMillisecond: UInt64 = 30_517_578_125  // 5^15
    /// Sums are kept in units of 2^25 ticks = 2^40 attoseconds ≈ 1.1 µs, so that 64 bits last for
    /// 640,000 years of summed waiting.
    static let sumShift: UInt64 = 25

    private let stripes: [Stripe]
    private let scale: Scale
    private let bounds: InlineArray<17, UInt64>
    /// For each number of significant bits, the first bucket that such numbers of ticks may be in.
    private let firstBuckets: InlineArray<65, UInt8>

    /// Makes an empty histogram.
    ///
    /// - Parameters:
    ///   - scale: what it is for.
    ///   - stripes: How many loops observe, 1 or more; see `observe`.
    package init(_ scale: Scale = .requests, stripes: Int = 1) {
        self.scale = scale
        let bounds = scale.boundsTicks
        self.bounds = bounds
        firstBuckets = InlineArray { bits in
            let least: UInt64 = bits == 0 ? 0 : 1 << UInt64(bits - 1)
            return UInt8(bounds.span.indices.count { bounds[$0] < least })
        }
        self.stripes = (0..<max(1, stripes)).map { _ in Stripe() }
    }

    /// Counts one duration; a negative one counts as zero.
    ///
    /// Any thread may call this. `stripe` is the number of the calling loop; any value is right,
    /// loops that share one are only slower.
    package func observe(_ duration: Duration, stripe: Int = 0) {
        let ticks = UInt64(clamping: duration.attoseconds >> 15)
        let units = (ticks >> Self.sumShift) &+ ((ticks >> (Self.sumShift - 1)) & 1)
        let bucket = bucket(of: ticks)
        // The stripe is not kept in a variable, which would be retained for both additions.
        let own = stripes.count == 1 ? 0 : abs(stripe % stripes.count)
        stripes[own].buckets[bucket].wrappingAdd(1, ordering: .relaxed)
        stripes[own].sum.wrappingAdd(units, ordering: .relaxed)
    }

    /// Adds up all stripes.
    ///
    /// Observations made meanwhile may be in or not; the count always is the sum of the buckets.
    package func read() -> HistogramReading {
        var counts = [UInt64](repeating: 0, count: scale.boundsText.count + 1)
        var sum = 0.0
        for stripe in stripes {
            for index in counts.indices {
                counts[index] &+= stripe.buckets[index].load(ordering: .relaxed)
            }
            sum += Double(stripe.sum.load(ordering: .relaxed)) * Self.secondsPerUnit
        }
        return HistogramReading(scale: scale, counts: counts, sumSeconds: sum)
    }

    private static let secondsPerUnit = 1_099_511_627_776e-18  // 2^40 attoseconds

    /// The first bucket whose bound is not below `ticks`; the last one has no bound.
    ///
    /// Each bound is at least twice the one before, so that among numbers of the same length there
    /// is at most one bound, and no search.
    private func bucket(of ticks: UInt64) -> Int {
        let first = Int(firstBuckets[UInt64.bitWidth - ticks.leadingZeroBitCount])
        guard first < bounds.count else { return first }
        return ticks <= bounds[first] ? first : first + 1
    }

    /// The cells one loop writes.
    private final class Stripe: Sendable {
        /// 17 finite buckets and the one without bound; not cumulative.
        let buckets = InlineArray<18, Atomic<UInt64>> { _ in Atomic(0) }
        let sum = Atomic<UInt64>(0)
    }
}

/// What a histogram held when it was read.
package struct HistogramReading: Sendable, Equatable {
    /// What its buckets are made for.
    package let scale: Histogram.Scale
    /// Observations per bucket, not cumulative; the last one is the bucket without bound.
    package let counts: [UInt64]
    /// Sum of all observations, in seconds.
    package let sumSeconds: Double

    /// All observations.
    package var count: UInt64 {
        counts.reduce(0, &+)
    }
}
