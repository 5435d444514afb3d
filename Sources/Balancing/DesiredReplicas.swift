// How many replicas a pool should have: the HorizontalPodAutoscaler's arithmetic.

/// Turns outstanding requests into a number of replicas, quick to grow and slow to shrink.
package struct DesiredReplicas: Sendable {
    private let target: Double
    private let bounds: ClosedRange<Int>
    private let tolerance: Double
    private let window: Duration
    /// Recommendations of the window, oldest first, each larger than all later ones; so at most
    /// one for each number within the bounds.
    private var recent: [(at: Moment, count: Int)] = []

    /// A scaler between `min` and `max` replicas.
    ///
    /// `target` is the wanted share of a replica's `concurrency` in use (more than 0; above 1
    /// means some queueing is wanted). `tolerance` is the relative error that is left alone.
    /// `window` is how long every recommendation must have been lower before the pool shrinks.
    package init(
        target: Double = 1,
        concurrency: Int,
        min: Int,
        max: Int,
        tolerance: Double = 0.1,
        window: Duration = .seconds(300)
    ) {
        self.target = Swift.max(target, 0.01) * Double(Swift.max(concurrency, 1))
        let lowest = Swift.max(min, 0)
        self.bounds = lowest...Swift.max(max, lowest)
        self.tolerance = tolerance
        self.window = window
    }

    /// The number of replicas wanted at `now`, within the bounds.
    ///
    /// `outstanding` is in flight + waiting, `current` the replicas that exist (starting ones
    /// included), `ready` those that serve. To be called at regular times, a few seconds apart.
    package mutating func evaluate(
        outstanding: Int,
        current: Int,
        ready: Int,
        now: Moment
    ) -> Int {
        let wanted = recommendation(outstanding: outstanding, current: current, ready: ready)
        let clamped = min(max(wanted, bounds.lowerBound), bounds.upperBound)
        let highest = remember(clamped, now: now)
        // Up at once, down only below everything recommended within the window.
        let settled = min(max(current, clamped), highest)
        return min(max(settled, bounds.lowerBound), bounds.upperBound)
    }

    private func recommendation(outstanding: Int, current: Int, ready: Int) -> Int {
        let exact = Double(max(outstanding, 0)) / target
        let wanted = exact < Double(bounds.upperBound) ? Int(exact.rounded(.up)) : bounds.upperBound
        guard current > 0 else { return wanted }
        let serving = min(max(ready, 0), current)
        let ratio = serving > 0 ? exact / Double(serving) : (exact > 0 ? .infinity : 0)
        if ratio >= 1 - tolerance, ratio <= 1 + tolerance { return current }
        // Starting replicas will take their share: they count before more are asked for.
        if ratio > 1, serving < current, exact / Double(current) <= 1 + tolerance { return current }
        return wanted
    }

    /// Adds a recommendation and answers the highest one within the window.
    private mutating func remember(_ count: Int, now: Moment) -> Int {
        recent.removeAll { $0.count <= count || $0.at + window <= now }
        recent.append((at: now, count: count))
        return recent.first?.count ?? count
    }
}
