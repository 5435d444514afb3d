// A pool at one instant, for metrics, `/pools` and tests: read from the counts it decides by.

/// The pool's gauges.
package struct PoolSnapshot: Sendable {
    /// Every replica, in the order of listing.
    package var replicas: [ReplicaSnapshot]
    /// How many wait.
    package var waiters: Int
    /// Since when the longest waiting has waited.
    package var oldestWaiterSince: Moment?
    /// Most waiters admitted.
    ///
    /// A limit that was lowered is reached by attrition.
    package var queueLimit: Int
    /// Request bytes held for waiters.
    package var queueBytes: Int
    /// Sum of the limits of usable replicas.
    package var capacity: Int
    /// Leases not yet ended.
    package var inFlight: Int
    /// In flight + waiting: the autoscaling signal.
    package var outstanding: Int
    /// Share of the capacity in use, 0…1; 1 when there is work and no capacity.
    package var saturation: Double
    /// Completions per second at full use; `nil` until enough were measured.
    package var completionRate: Double?
    /// Whether too few replicas are fit, so that ejections are ignored.
    package var isPanicking: Bool
    /// Whether arrivals are refused because the gateway stops.
    package var isStopping: Bool
}

/// One replica's gauges.
package struct ReplicaSnapshot: Sendable {
    /// Its id.
    package var id: ReplicaID
    /// Its address.
    package var endpoint: String
    /// Its state.
    package var state: ReplicaState
    /// What put it there.
    package var why: TransitionCause
    /// When.
    package var since: Moment
    /// Leases not yet ended.
    package var inFlight: Int
    /// The configured limit.
    package var concurrencyLimit: Int
    /// The limit for new work right now; 0 while it takes none.
    package var limitNow: Int
    /// Its weight.
    package var weight: Int
    /// In flight ÷ (configured limit × weight).
    package var load: Double
    /// The peak-sensitive average latency; `nil` before the first success.
    package var latency: Duration?
    /// Failures in a row in real traffic.
    package var consecutiveFailures: Int
    /// Ejections since it was listed.
    package var ejections: Int
    /// When its ejection is over.
    package var ejectedUntil: Moment?
    /// Until when it asked for no new work.
    package var heldUntil: Moment?
    /// Its last probe.
    package var lastProbe: ProbeOutcome?
    /// When that came back.
    package var lastProbeAt: Moment?
    /// Whether its source lists it.
    package var isListed: Bool
    /// Whether an operator drained it.
    package var isDrainedByOperator: Bool
    /// The zone it runs in, where its source knows.
    package var zone: String?
}

extension PoolSnapshot: Equatable {}

extension ReplicaSnapshot: Equatable {
    init(_ replica: Replica, _ load: ReplicaLoad, options: PoolOptions) {
        let full = replica.fullLimit(options)
        self.init(
            id: replica.id,
            endpoint: replica.spec.endpoint,
            state: replica.state,
            why: replica.why,
            since: replica.since,
            inFlight: load.inFlight,
            concurrencyLimit: full,
            limitNow: load.limit,
            weight: load.weight,
            load: Double(load.inFlight) / Double(full * load.weight),
            latency: load.latency.shown,
            consecutiveFailures: replica.outliers.consecutiveFailures,
            ejections: replica.outliers.ejectionsTotal,
            ejectedUntil: replica.outliers.ejectedUntil,
            heldUntil: replica.heldUntil,
            lastProbe: replica.health.last?.outcome,
            lastProbeAt: replica.health.last?.at,
            isListed: replica.isListed,
            isDrainedByOperator: replica.isDrainedByOperator,
            zone: replica.spec.zone
        )
    }
}
