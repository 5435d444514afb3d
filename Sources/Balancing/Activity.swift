// Whether a replica is working or silent: the evidence for "busy is not down" and for stalls.

/// The silence of one replica, measured while requests are in flight.
struct Activity: Sendable {
    /// Start of the present silence: the latest of the first lease and the last progress.
    ///
    /// `nil` when nothing is in flight.
    private(set) var quietSince: Moment?
    /// When the last request in flight ended with progress.
    private var finishedAt: Moment?
    /// The longest silence after which progress came, slowly fading: what is normal here.
    private var usualQuietNanoseconds: Int64 = 0
    /// A stall that could not lead to an ejection is looked at again one stall later.
    private var stallExcusedAt: Moment?

    /// Requests in flight went from 0 to 1.
    mutating func began(now: Moment) {
        quietSince = now
        stallExcusedAt = nil
    }

    /// Bytes came from the replica.
    mutating func progressed(now: Moment) {
        guard let since = quietSince else { return }
        let quiet = now.nanoseconds - since.nanoseconds
        let excess = usualQuietNanoseconds - quiet
        usualQuietNanoseconds = excess < 0 ? quiet : usualQuietNanoseconds - excess / 64
        quietSince = now
        stallExcusedAt = nil
    }

    /// The last request in flight ended; `withProgress` when it was the replica that ended it.
    mutating func ended(withProgress: Bool, now: Moment) {
        quietSince = nil
        if withProgress { finishedAt = now }
    }

    /// Whether a probe that timed out at `now` is excused by work.
    ///
    /// It is when requests in flight made progress within the busy window, or within twice the
    /// silence that is usual for this model (a single prediction may take half a minute and says
    /// nothing meanwhile), or when the last one finished while the probe was waiting.
    func excusesTimeout(_ options: PoolOptions, now: Moment) -> Bool {
        if let finishedAt, now - finishedAt <= options.health.timeout { return true }
        guard let quietSince else { return false }
        let usual = min(.nanoseconds(usualQuietNanoseconds) * 2, options.stall)
        return now - quietSince <= max(options.health.busyWindow, usual)
    }

    /// When the present silence becomes a stall.
    func stallDue(after stall: Duration) -> Moment? {
        guard let quietSince else { return nil }
        return (stallExcusedAt ?? quietSince) + stall
    }

    /// The stall at `now` has no consequence; it is looked at again one stall later.
    mutating func excuseStall(now: Moment) {
        stallExcusedAt = now
    }
}
