// What the pool's owner has to do after an event, once it has left the lock.

/// Usually nothing: so one array for effects of all kinds, and not one for each.
package struct PoolEffects: Sendable, Equatable {
    private var effects: [Effect] = []

    enum Effect: Sendable, Equatable {
        case grant(Grant)
        case shed(ShedWaiter)
        case probeSoon(ReplicaID)
        case closeIdle(ReplicaID)
        case removed(ReplicaID)
        case transition(Transition)
    }

    /// No effects.
    package init() {}

    mutating func add(_ effect: Effect) { effects.append(effect) }

    /// Whether nothing has to be done.
    package var isEmpty: Bool { effects.isEmpty }

    /// Waiters that now hold a slot, in the order served.
    package var grants: [Grant] {
        effects.compactMap { if case .grant(let grant) = $0 { grant } else { nil } }
    }

    /// Waiters that are refused after all.
    package var sheds: [ShedWaiter] {
        effects.compactMap { if case .shed(let waiter) = $0 { waiter } else { nil } }
    }

    /// Replicas to probe at once; `nextProbe(of:)` says the same.
    package var probeSoon: [ReplicaID] {
        effects.compactMap { if case .probeSoon(let id) = $0 { id } else { nil } }
    }

    /// Replicas whose idle connections are to be closed.
    package var closeIdle: [ReplicaID] {
        effects.compactMap { if case .closeIdle(let id) = $0 { id } else { nil } }
    }

    /// Replicas that are gone: drained, nothing in flight.
    ///
    /// Their id is never used again.
    package var removed: [ReplicaID] {
        effects.compactMap { if case .removed(let id) = $0 { id } else { nil } }
    }

    /// Changes of state, for log and metrics.
    package var transitions: [Transition] {
        effects.compactMap { if case .transition(let change) = $0 { change } else { nil } }
    }
}

/// A waiter that got its slot.
package struct Grant: Sendable, Equatable {
    /// Who waited.
    package let waiter: WaiterID
    /// What it got; to be ended exactly once, also if the waiter is gone by now.
    package let ticket: LeaseTicket
}

/// A waiter that is refused.
package struct ShedWaiter: Sendable, Equatable {
    /// Who waited.
    package let waiter: WaiterID
    /// Why it is refused.
    package let shed: Shed
}

/// A replica's change of state.
package struct Transition: Sendable, Equatable {
    /// Which replica.
    package let replica: ReplicaID
    /// Its endpoint.
    package let endpoint: String
    /// The state it left.
    package let from: ReplicaState
    /// The state it is in.
    package let to: ReplicaState
    /// What caused it.
    package let why: TransitionCause
}

/// Why a replica is in the state it is in; the raw value is the word for logs and `/pools`.
package enum TransitionCause: String, Sendable, Equatable, CaseIterable {
    /// Just listed, not yet probed.
    case added
    /// A probe passed.
    case probePassed = "probe_passed"
    /// Probes failed.
    case probeFailed = "probe_failed"
    /// Probes timed out with nothing to excuse it.
    case probeTimedOut = "probe_timed_out"
    /// Nothing listens at its endpoint.
    case connectRefused = "connect_refused"
    /// A probe timed out while requests made progress.
    case busy
    /// It said that it is full.
    case full
    /// The time it asked for is over.
    case holdEnded = "hold_ended"
    /// Too many failures in a row in real traffic.
    case outlier
    /// Silent too long with requests in flight.
    case stalled
    /// It said nothing on any connection, and a request was taken elsewhere.
    case silent
    /// It said something after that.
    case heardAgain = "heard_again"
    /// It takes connections but has said nothing yet: one request at a time tries it.
    case approval
    /// Its ejection is over: one request at a time tries it.
    case trial
    /// The trial succeeded.
    case trialPassed = "trial_passed"
    /// The trial failed.
    case trialFailed = "trial_failed"
    /// Its limit has reached the full value.
    case slowStartOver = "slow_start_over"
    /// No longer listed by its source.
    case unlisted
    /// Listed again before it was gone.
    case listedAgain = "listed_again"
    /// Drained by an operator.
    case drained
    /// Taken back by an operator.
    case undrained
}
