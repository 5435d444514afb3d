// Misbehaviour in real traffic: who is ejected, for how long, and how one comes back.
//
//          `consecutive` failures or a stall          time is over
//   fit ────────────────────────────────────▶ ejected ───────────▶ on trial
//    ▲                                           ▲                   │   │
//    │                                           └── trial failed ───┘   │
//    └──────────────────────── trial passed ─────────────────────────────┘
//
// Invariant: at most one trial is out at a time. Whether an ejection is allowed at all (share of
// the pool, the last that connects) is decided by the roster, which sees all replicas.

/// The outlier record of one replica.
struct Outliers: Sendable {
    private(set) var phase = Phase.fit
    /// Failures in a row.
    private(set) var consecutiveFailures = 0
    /// Ejections since the replica was listed.
    private(set) var ejectionsTotal = 0
    /// Ejections not yet forgotten: the n of the next duration.
    private var recentEjections = 0
    /// When the last ejection ended.
    private var readmittedAt: Moment?
    /// Start of the lease on trial, if one is out.
    private(set) var trial: Moment?

    enum Phase: Sendable, Equatable {
        case fit
        case ejected(since: Moment, until: Moment, forStall: Bool)
        case onTrial(ejectedSince: Moment)
    }

    var isEjected: Bool { if case .ejected = phase { true } else { false } }
    var isOnTrial: Bool { if case .onTrial = phase { true } else { false } }

    // MARK: Counting

    /// Counts a failure; `true` when the replica should be ejected for it.
    mutating func failed(_ options: OutlierOptions) -> Bool {
        consecutiveFailures += 1
        return phase == .fit && consecutiveFailures >= max(options.consecutive, 1)
    }

    /// A success ends the row of failures.
    mutating func succeeded() {
        consecutiveFailures = 0
    }

    // MARK: Ejection

    /// Ejects at `now`, for n × base with n the ejections not yet forgotten.
    mutating func eject(
        _ options: OutlierOptions,
        forStall: Bool,
        now: Moment
    ) {
        if let readmittedAt, options.forgetAfter > .zero {
            let forgotten = (now - readmittedAt) / options.forgetAfter
            recentEjections = max(0, recentEjections - Int(min(forgotten, 1e6)))
        }
        recentEjections += 1
        ejectionsTotal += 1
        consecutiveFailures = 0
        trial = nil
        // More than a million times the base is beyond any maximum; it keeps the product in range.
        let length = min(options.base * min(recentEjections, 1_000_000), options.max)
        let until = now + max(length, .milliseconds(1))
        phase = .ejected(since: now, until: until, forStall: forStall)
    }

    /// When the ejection is over; `nil` when not ejected.
    var ejectedUntil: Moment? {
        if case .ejected(_, let until, _) = phase { until } else { nil }
    }

    /// A replica ejected for silence has spoken: its trial may begin now.
    ///
    /// `true` if that applies.
    mutating func progressed(now: Moment) -> Bool {
        guard case .ejected(let since, let until, true) = phase, now < until else { return false }
        phase = .ejected(since: since, until: now, forStall: true)
        return true
    }

    // MARK: Coming back

    /// The time of the ejection is over.
    mutating func beginTrials() {
        guard case .ejected(let since, _, _) = phase else { return }
        phase = .onTrial(ejectedSince: since)
        trial = nil
    }

    /// Hands the trial to the lease that starts at `now`.
    mutating func startTrial(now: Moment) {
        trial = now
    }

    /// The lease that began at `start` ended; `true` if it was the trial that is out.
    mutating func endTrial(startedAt start: Moment) -> Bool {
        guard isOnTrial, trial == start else { return false }
        trial = nil
        return true
    }

    /// Whether a lease that began at `start` is newer than the ejection: the trial, or one that was
    /// given while ejections were ignored.
    ///
    /// Its success readmits.
    func isNewer(_ start: Moment) -> Bool {
        switch phase {
        case .fit: false
        case .ejected(let since, _, _), .onTrial(let since): start > since
        }
    }

    /// Back in service.
    mutating func readmit(now: Moment) {
        phase = .fit
        trial = nil
        consecutiveFailures = 0
        readmittedAt = now
    }

    /// Down by other evidence: the ejection has no object any more; it stays on record.
    mutating func wentDown(now: Moment) {
        if phase != .fit { readmittedAt = now }
        phase = .fit
        trial = nil
        consecutiveFailures = 0
    }
}
