// peak-ewma: the replica with the least expected latency, by a peak-sensitive average.

/// The policy that asks how slow a replica has been lately.
enum PeakEWMA {
    /// The replica with room and the least latency × (in flight + 1) ÷ weight; among equals the
    /// first from `start` on.
    ///
    /// An unmeasured idle replica is tried first, then waits for its measurement until no measured
    /// one has room.
    static func pick(
        from loads: Span<ReplicaLoad>,
        startingAt start: Int,
        now: Moment
    ) -> Int? {
        var best: Int?
        var bestCost = 0.0
        var index = start < loads.count ? start : 0
        for _ in 0..<loads.count {
            if loads[index].hasRoom {
                let cost = cost(of: loads[index], now: now)
                if best == nil || cost < bestCost {
                    best = index
                    bestCost = cost
                }
            }
            index += 1
            if index == loads.count { index = 0 }
        }
        return best
    }

    private static func cost(of load: ReplicaLoad, now: Moment) -> Double {
        guard let latency = load.latency.seconds(at: now) else {
            // Larger than any measured cost, yet ordered by what is in flight.
            return load.inFlight == 0 ? 0 : 1e12 * Double(load.inFlight)
        }
        return latency * Double(load.inFlight + 1) / Double(load.weight)
    }
}

/// An average of latencies that jumps up to a peak and halves again every few seconds.
struct PeakLatency: Sendable {
    private var average: Double?
    private var measuredAt: Moment?

    /// Seconds in which an old latency loses half of its say.
    private static let halfLife = 7.0
    /// What a latency of zero counts as, so that requests in flight still matter.
    private static let floor = 1e-6

    /// Takes in one latency.
    mutating func observe(_ latency: Duration, now: Moment) {
        let seconds = max(Balancing.seconds(of: latency), Self.floor)
        if let average, seconds < average {
            let keep = decay(since: measuredAt, now: now)
            self.average = average * keep + seconds * (1 - keep)
        } else {
            average = seconds
        }
        measuredAt = now
    }

    /// Raises the average to `latency` if it is below: for requests that failed by being slow.
    mutating func observeAtLeast(_ latency: Duration, now: Moment) {
        guard Balancing.seconds(of: latency) > (average ?? 0) else { return }
        observe(latency, now: now)
    }

    /// The average at `now`, in seconds; it fades while nothing is measured, so that a replica
    /// avoided for an old peak is tried again.
    ///
    /// `nil` before the first measurement.
    func seconds(at now: Moment) -> Double? {
        guard let average else { return nil }
        return max(average * decay(since: measuredAt, now: now), Self.floor)
    }

    /// The last average without fading, for display.
    var shown: Duration? { average.map { .seconds($0) } }

    /// 2^(−t ÷ half-life), straight between the powers of two: no libm, and never above 1.
    private func decay(since earlier: Moment?, now: Moment) -> Double {
        guard let earlier, now > earlier else { return 1 }
        let halvings = min(Balancing.seconds(of: now - earlier) / Self.halfLife, 1000)
        let whole = halvings.rounded(.down)
        let power = Double(sign: .plus, exponent: -Int(whole), significand: 1)
        return power * (1 - (halvings - whole) / 2)
    }
}
