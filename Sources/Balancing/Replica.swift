// One replica as its pool knows it: independent evidence, and the state that follows from it.
//
//                  probe passed                       busy or full
//   warming ──────────────────────▶ (slow start) ▶ ready ⇄ degraded
//    ▲  ▲                                            │   │
//    │  │ time over: trial                           │   │
//    │  └──────────── ejected ◀── outlier, stall ────┤   │
//    │ rise passes                                   │   │
//    └─────────────── down ◀── fall failures, refused┘   │
//                                                        ▼
//   any of these ── unlisted or drained by an operator ▶ draining ─▶ gone (unlisted, none in
//                                                                    flight)
//
// The state is computed, never stored: draining hides down, down hides ejected, and so on, so a
// replica that is undrained is at once what its evidence says. `shown` is what was last told.

/// A replica of one pool.
///
/// Never used again within the pool.
package struct ReplicaID: Hashable, Sendable {
    /// Counts up from 0 in the order replicas were listed.
    package let raw: Int

    /// An id from its raw value.
    package init(raw: Int) {
        self.raw = raw
    }
}

/// A replica as its source lists it.
package struct ReplicaSpec: Hashable, Sendable {
    /// Its address, and its identity over reloads: `"10.0.0.1:5000"`.
    package var endpoint: String
    /// Its share of the work relative to the others, 1…1000.
    package var weight: Int
    /// Most requests in flight; `nil` means the pool's setting.
    package var concurrency: Int?
    /// The zone it runs in, where its source knows; it is told, and nothing is decided by it.
    package var zone: String?

    /// A replica; only the endpoint has no default.
    package init(endpoint: String, weight: Int = 1, concurrency: Int? = nil) {
        self.endpoint = endpoint
        self.weight = weight
        self.concurrency = concurrency
    }
}

/// The states of a replica.
package enum ReplicaState: String, Sendable, Equatable, CaseIterable {
    /// New, readmitted or on trial: not yet at its full limit.
    case warming
    /// In service.
    case ready
    /// In service, but busy: slow to answer probes, or full for a while.
    case degraded
    /// Set aside after misbehaviour in real traffic.
    case ejected
    /// Not reachable, or failing its probes.
    case down
    /// Takes nothing new; finishes what is in flight.
    case draining
}

/// The evidence about one replica.
///
/// Counts of work live in its `ReplicaLoad`.
struct Replica: Sendable {
    let id: ReplicaID
    var spec: ReplicaSpec
    var isListed = true
    var isDrainedByOperator = false
    var health: Health
    var outliers = Outliers()
    var activity = Activity()
    var doubt = Doubt()
    var slowStart: SlowStart?
    /// Since when it has been up without interruption.
    var upSince: Moment?
    /// A probe timed out while it worked, and none has passed since.
    var isBusy = false
    /// It asked for no new work until then.
    var heldUntil: Moment?

    /// The state last told in a transition, its cause and its time.
    private(set) var shown = ReplicaState.warming
    private(set) var why = TransitionCause.added
    private(set) var since: Moment

    init(id: ReplicaID, spec: ReplicaSpec, now: Moment) {
        self.id = id
        self.spec = spec
        self.health = Health(now: now)
        self.since = now
    }

    var isDraining: Bool { !isListed || isDrainedByOperator }

    /// Up, in the pool, and not set aside for misbehaviour.
    var isFit: Bool { isReachable && outliers.phase == .fit }

    /// Up and in the pool, fit or not.
    var isReachable: Bool { !isDraining && health.isProven && !health.isDown }

    /// The state that follows from the evidence.
    var state: ReplicaState {
        if isDraining { return .draining }
        if health.isDown { return .down }
        if outliers.isEjected { return .ejected }
        if !isFit || slowStart != nil || doubt.isShownOnApproval { return .warming }
        return isBusy || heldUntil != nil || doubt.isShownInDoubt ? .degraded : .ready
    }

    /// Requests in flight went from 0 to 1; when silence from now on gets it ejected.
    mutating func began(now: Moment, stall: Duration) -> Moment? {
        activity.began(now: now)
        return isFit ? activity.stallDue(after: max(stall, .milliseconds(1))) : nil
    }

    /// Bytes came; `true` if that ends a doubt or an ejection, so that something is due at once.
    mutating func progressed(now: Moment) -> Bool {
        activity.progressed(now: now)
        let endsDoubt = doubt.heard()
        return outliers.progressed(now: now) || endsDoubt
    }

    /// A request came to its end with an answer; `true` as for `progressed`.
    mutating func answered(isLast: Bool, now: Moment, into effects: inout PoolEffects) -> Bool {
        let isDue = progressed(now: now)
        settleDoubt(now: now, into: &effects)
        if isLast { activity.ended(withProgress: true, now: now) }
        return isDue
    }

    /// Tells of a sign of life.
    mutating func settleDoubt(now: Moment, into effects: inout PoolEffects) {
        if doubt.settle() { tell(.heardAgain, now: now, into: &effects) }
    }

    /// Compares the state with what was told last; a difference is told now.
    mutating func tell(
        _ cause: TransitionCause,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        let current = state
        guard current != shown else { return }
        let change = Transition(
            replica: id,
            endpoint: spec.endpoint,
            from: shown,
            to: current,
            why: cause
        )
        effects.add(.transition(change))
        shown = current
        why = cause
        since = now
    }

    /// The limit without ramp: its own or the pool's, 1…1,000,000.
    func fullLimit(_ options: PoolOptions) -> Int {
        min(max(spec.concurrency ?? options.concurrency, 1), 1_000_000)
    }
}
