// A request at the pool's door, and the pool's answer to it.

/// What the pool needs to know of a request that asks for a slot.
package struct Arrival: Sendable, Equatable {
    /// The instant by which the request must be finished.
    package var deadline: Moment
    /// Higher goes first; equals are served in order of arrival.
    package var priority: Int
    /// Bytes of the request held in memory while it waits.
    package var bytes: Int
    /// Keeps related requests on one replica under `consistent-hash`.
    package var affinity: UInt64?
    /// Replicas already tried; avoided as long as another usable one exists.
    package var excluding: [ReplicaID]
    /// A further attempt of a request that was admitted before: goes before first attempts of
    /// its priority, and pays nothing into the retry budget.
    package var isRetry: Bool

    /// A request; only the deadline has no default.
    package init(
        deadline: Moment,
        priority: Int = 0,
        bytes: Int = 0,
        affinity: UInt64? = nil,
        excluding: [ReplicaID] = [],
        isRetry: Bool = false
    ) {
        self.deadline = deadline
        self.priority = priority
        self.bytes = bytes
        self.affinity = affinity
        self.excluding = excluding
        self.isRetry = isRetry
    }
}

/// The answer to an arrival.
package enum Admission: Sendable, Equatable {
    /// A slot is taken; the ticket must be ended exactly once.
    case leased(LeaseTicket)
    /// The request stands in the queue; it will appear once in `grants` or `sheds`, unless
    /// withdrawn.
    case waiting(WaiterID)
    /// Refused at once.
    case shed(Shed)
}

/// Why and for how long a request was refused.
package struct Shed: Sendable, Equatable {
    /// The reason, as in log and metric.
    package var reason: ShedReason
    /// When to come back, 1…30 s.
    ///
    /// `nil` exactly when the request's own deadline has passed; a `deadline` with a value means:
    /// refused on arrival, since it could not finish in time.
    package var retryAfter: Duration?

    /// A refusal.
    package init(_ reason: ShedReason, retryAfter: Duration? = nil) {
        self.reason = reason
        self.retryAfter = retryAfter
    }
}

/// Why a request was refused.
package enum ShedReason: String, Sendable, Equatable, CaseIterable {
    /// The queue holds as many requests or bytes as it may.
    case queueFull = "queue_full"
    /// It waited as long as the queue allows.
    case queueTimeout = "queue_timeout"
    /// Its deadline has passed, or would before it could finish.
    case deadline
    /// No replica is usable, and patience is spent.
    case noReplicas = "no_replicas"
    /// The gateway is stopping.
    case stopping
}
