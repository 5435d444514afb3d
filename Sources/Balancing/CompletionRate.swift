// How fast a pool frees slots: the measure behind deadline-honest admission and Retry-After.

/// Completions per slot and second, from how long recent leases held their slots.
///
/// Measured per second of *held* slot, not per second of wall time: an idle pool completes little
/// because little is asked, which says nothing about what it can do. The rate of a pool is this
/// times its slots, so it follows at once when replicas come and go. Old leases fade by count
/// (about the last 64 matter), so a quiet night forgets nothing.
struct CompletionRate: Sendable {
    /// Faded count of completions, and the faded seconds their slots were held.
    private var completions = 0.0
    private var heldSeconds = 0.0
    /// Unfaded number of measurements, saturating at what is enough.
    private var measured = 0
    /// A slowly rising floor under recent successes.
    private var quickestSeconds: Double?

    private static let memory = 64.0
    private static let enough = 8

    /// Counts one ended lease that held its slot for `held`.
    mutating func record(held: Duration, wasSuccess: Bool) {
        let length = max(seconds(of: held), 0)
        let keep = 1 - 1 / Self.memory
        completions = completions * keep + 1
        heldSeconds = heldSeconds * keep + length
        measured = min(measured + 1, Self.enough)
        guard wasSuccess else { return }
        guard let quickest = quickestSeconds else {
            quickestSeconds = length
            return
        }
        quickestSeconds = min(length, quickest + (length - quickest) / 16)
    }

    /// Completions per second of `slots` busy slots; `nil` without enough measurements.
    func perSecond(slots: Int) -> Double? {
        guard measured >= Self.enough, slots > 0, heldSeconds > 0 else { return nil }
        return Double(slots) * completions / heldSeconds
    }

    /// What even a quick request takes; zero when unknown.
    var quickest: Duration { .seconds(quickestSeconds ?? 0) }
}
