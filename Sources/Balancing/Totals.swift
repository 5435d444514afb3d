// What all replicas of a pool add up to, and the limit of each at this instant.

/// Sums over the replicas and what follows from them.
///
/// True after `refresh`.
struct Totals: Sendable {
    /// Sum of the limits of usable replicas.
    private(set) var capacity = 0
    /// Sum of the full limits of all that are not draining, whatever their health.
    private(set) var slots = 0
    /// Whether too few are fit, so that ejections are ignored.
    private(set) var isPanicking = false
    /// Whether those in doubt take work all the same.
    private(set) var ignoresDoubts = false
    /// What a waiter may hope for.
    private(set) var outlook = Outlook.starting
    /// When a limit changes by time alone; `nil` when none does.
    private(set) var limitsChangeAt: Moment?

    /// What a waiter may hope for.
    enum Outlook: Sendable, Equatable {
        /// Some replica takes work.
        case serving
        /// None does, but one may soon: the pool is empty, or a replica has not been judged.
        case starting
        /// All are down.
        case down
    }

    /// Heads in a pool, without those that drain.
    struct Census: Sendable {
        /// All of them.
        private(set) var members = 0
        /// Up and not set aside.
        private(set) var fit = 0
        /// Up, but ejected or on trial.
        private(set) var setAside = 0
        /// Fit, but perhaps stopped.
        private(set) var doubted = 0
        /// Not down: up, or not judged yet.
        private(set) var hopeful = 0

        init(_ replicas: [Replica]) {
            for replica in replicas where !replica.isDraining {
                members += 1
                if replica.isFit { fit += 1 }
                if replica.isFit, replica.doubt.isDoubted { doubted += 1 }
                if replica.isReachable, !replica.isFit { setAside += 1 }
                if !replica.health.isDown { hopeful += 1 }
            }
        }

        /// Whether one more may be ejected: the share allows it and another fit one remains.
        func mayEject(_ options: OutlierOptions) -> Bool {
            fit > 1 && Double(setAside + 1) <= options.maxEjectedShare * Double(members)
        }

        /// Whether one more may be passed over for its silence; as for ejections.
        func mayDoubt(_ options: OutlierOptions) -> Bool {
            let aside = setAside + doubted + 1
            return fit - doubted > 1 && Double(aside) <= options.maxEjectedShare * Double(members)
        }

        /// Whether so few are fit that ejections are ignored.
        func isPanicking(_ options: OutlierOptions) -> Bool {
            setAside > 0 && (fit == 0 || Double(fit) < options.panicThreshold * Double(members))
        }
    }

    /// Recomputes every limit in `loads` and all sums.
    ///
    /// O(replicas).
    mutating func refresh(
        _ replicas: [Replica],
        _ loads: inout [ReplicaLoad],
        options: PoolOptions,
        now: Moment
    ) {
        let census = Census(replicas)
        isPanicking = census.isPanicking(options.outliers)
        // Better those that may have stopped than nobody.
        ignoresDoubts = isPanicking || census.doubted == census.fit
        slots = 0
        capacity = 0
        limitsChangeAt = nil
        var isServing = false
        for index in replicas.indices {
            refresh(replicas[index], &loads[index], options: options, now: now)
            capacity += loads[index].limit
            isServing = isServing || loads[index].isUsable
        }
        let mayAppear = census.members == 0 || census.hopeful > 0
        outlook = isServing ? .serving : (mayAppear ? .starting : .down)
    }

    private mutating func refresh(
        _ replica: Replica,
        _ load: inout ReplicaLoad,
        options: PoolOptions,
        now: Moment
    ) {
        let full = replica.fullLimit(options)
        load.weight = min(max(replica.spec.weight, 1), 1000)
        load.isUsable = false
        load.limit = 0
        if !replica.isDraining { slots += full }
        guard replica.isReachable, isPanicking || !replica.outliers.isEjected,
            ignoresDoubts || !replica.doubt.isDoubted
        else { return }
        load.isUsable = true
        if let held = replica.heldUntil, now < held {
            changeLimits(at: held)
        } else if replica.outliers.isOnTrial, !isPanicking {
            // Room for one trial, and for none while it is out.
            let room = replica.outliers.trial == nil ? load.inFlight + 1 : 0
            load.limit = min(room, full)
        } else if replica.doubt.isOnApproval, !isPanicking {
            load.limit = min(1, full)
        } else if let ramp = replica.slowStart {
            load.limit = ramp.limit(full: full, now: now)
            changeLimits(at: ramp.nextGrowth(full: full, now: now))
        } else {
            load.limit = full
        }
    }

    private mutating func changeLimits(at instant: Moment?) {
        guard let instant else { return }
        limitsChangeAt = min(limitsChangeAt ?? instant, instant)
    }
}
