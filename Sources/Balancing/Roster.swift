// All replicas of a pool: who they are, how many requests each holds, who may take the next.
//
// Invariants (the pool's lock guards all of it):
// - `replicas` and `loads` run in parallel, in the order of listing, so ids ascend;
// - a lease is given only below the limit of that instant, so in flight ≤ the full limit as long
//   as settings do not lower it; a lowered limit takes effect by attrition;
// - `totals` are what the two arrays add up to after `refresh`, which follows every change.

/// The replicas, their counts, and the choice among them.
struct Roster: Sendable {
    private(set) var options: PoolOptions
    private(set) var replicas: [Replica] = []
    private(set) var loads: [ReplicaLoad] = []
    private var policy: Policy
    private var idsGiven = 0

    /// Leases not yet ended, on replicas of every state.
    private(set) var inFlight = 0
    /// What the replicas add up to.
    private(set) var totals = Totals()
    /// No replica has anything due before this; `nil` when none has at all.
    private(set) var nextEvent: Moment?

    init(options: PoolOptions) {
        self.options = options
        self.policy = Policy(options.policy)
    }

    // MARK: Membership

    /// Takes new settings; counts, health and learned values stay.
    mutating func configure(
        _ options: PoolOptions,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        if options.policy != policy.kind { policy = Policy(options.policy) }
        self.options = options
        for index in replicas.indices {
            endNeedlessSlowStart(index)
            replicas[index].tell(.slowStartOver, now: now, into: &effects)
        }
    }

    /// Makes the replicas those of `wanted`, by endpoint; of a repeated endpoint the first counts.
    mutating func list(
        _ wanted: [ReplicaSpec],
        now: Moment,
        into effects: inout PoolEffects
    ) {
        var missing: [String: ReplicaSpec] = [:]
        for spec in wanted where missing[spec.endpoint] == nil { missing[spec.endpoint] = spec }
        for index in replicas.indices {
            let endpoint = replicas[index].spec.endpoint
            if let spec = missing.removeValue(forKey: endpoint) {
                adopt(spec, index, now: now, into: &effects)
            } else if replicas[index].isListed {
                replicas[index].isListed = false
                replicas[index].tell(.unlisted, now: now, into: &effects)
                effects.add(.closeIdle(replicas[index].id))
            }
        }
        // In the order of the source, so that ids and ties do not depend on a hash.
        for spec in wanted {
            guard let new = missing.removeValue(forKey: spec.endpoint) else { continue }
            append(new, now: now, into: &effects)
        }
        for index in replicas.indices.reversed() { removeIfGone(index, into: &effects) }
    }

    private mutating func append(
        _ spec: ReplicaSpec,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        let id = ReplicaID(raw: idsGiven)
        idsGiven += 1
        replicas.append(Replica(id: id, spec: spec, now: now))
        loads.append(ReplicaLoad(identity: AffinityHash.key(of: spec.endpoint)))
        effects.add(.probeSoon(id))
    }

    private mutating func adopt(
        _ spec: ReplicaSpec,
        _ index: Int,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        replicas[index].spec = spec
        guard !replicas[index].isListed else { return }
        replicas[index].isListed = true
        replicas[index].tell(.listedAgain, now: now, into: &effects)
        probeSoon(index, now: now, into: &effects)
    }

    /// Drains or takes back one replica for an operator.
    mutating func setDraining(
        _ index: Int,
        _ isDraining: Bool,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        guard replicas[index].isDrainedByOperator != isDraining else { return }
        replicas[index].isDrainedByOperator = isDraining
        replicas[index].tell(isDraining ? .drained : .undrained, now: now, into: &effects)
        if isDraining { effects.add(.closeIdle(replicas[index].id)) }
    }

    /// Removes a replica that is unlisted and has nothing in flight.
    private mutating func removeIfGone(_ index: Int, into effects: inout PoolEffects) {
        guard !replicas[index].isListed, loads[index].inFlight == 0 else { return }
        effects.add(.removed(replicas[index].id))
        replicas.remove(at: index)
        loads.remove(at: index)
    }

    // MARK: Leases

    /// Picks a replica with room and takes a slot of it, in one step; `nil` when none has room.
    mutating func lease(
        for arrival: Arrival,
        now: Moment,
        using random: inout SeededRandom
    ) -> LeaseTicket? {
        if let due = totals.limitsChangeAt, due <= now { refresh(now: now) }
        guard let index = pick(for: arrival, now: now, using: &random) else { return nil }
        let isTrial = replicas[index].outliers.isOnTrial && !totals.isPanicking
        loads[index].inFlight += 1
        inFlight += 1
        if loads[index].inFlight == 1 {
            wake(at: replicas[index].began(now: now, stall: options.stall))
        }
        if isTrial {
            replicas[index].outliers.startTrial(now: now)
            refresh(now: now)
        }
        return LeaseTicket(replica: replicas[index].id, startedAt: now, isTrial: isTrial)
    }

    /// Lets the policy choose.
    private mutating func pick(
        for arrival: Arrival,
        now: Moment,
        using random: inout SeededRandom
    ) -> Int? {
        // A copy (a few words), since a span of `loads` borrows all of the roster.
        var policy = self.policy
        defer { self.policy = policy }
        let key = arrival.affinity
        guard !arrival.excluding.isEmpty, let others = loads(avoiding: arrival.excluding) else {
            return policy.pick(from: loads.span, key: key, now: now, using: &random)
        }
        return policy.pick(from: others.span, key: key, now: now, using: &random)
    }

    /// The loads with no room on replicas already tried; `nil` if all usable ones have been.
    private func loads(avoiding tried: [ReplicaID]) -> [ReplicaLoad]? {
        var others = loads
        var hasOthers = false
        for index in loads.indices where loads[index].isUsable {
            if tried.contains(replicas[index].id) {
                others[index].limit = 0
            } else {
                hasOthers = true
            }
        }
        return hasOthers ? others : nil
    }

    /// Gives the slot back and draws the conclusions; `true` when limits may have changed, so
    /// that `refresh` is due.
    mutating func end(
        _ ticket: LeaseTicket,
        _ verdict: Verdict,
        now: Moment,
        into effects: inout PoolEffects
    ) -> Bool {
        guard let index = replicas.index(of: ticket.replica), loads[index].inFlight > 0 else {
            preconditionFailure("lease of replica \(ticket.replica.raw) ended, none is in flight")
        }
        loads[index].inFlight -= 1
        inFlight -= 1
        let isLast = loads[index].inFlight == 0
        var hasChanged = false
        if verdict.showsProgress {
            hasChanged = replicas[index].answered(isLast: isLast, now: now, into: &effects)
            if hasChanged { wake(at: now) }
        } else if isLast {
            replicas[index].activity.ended(withProgress: false, now: now)
        }
        let wasTrial =
            ticket.isTrial && replicas[index].outliers.endTrial(startedAt: ticket.startedAt)
        let held = now > ticket.startedAt ? now - ticket.startedAt : .zero
        let lease = (index: index, held: held, wasTrial: wasTrial)
        switch verdict {
        case .success:
            hasChanged = succeeded(lease, ticket, now: now, into: &effects) || hasChanged
        case .failure(let kind):
            failed(lease, kind, now: now, into: &effects)
            hasChanged = true
        case .full(let retryAfter):
            hold(index, for: retryAfter, now: now, into: &effects)
            hasChanged = true
        case .abandoned:
            break
        }
        if !replicas[index].isListed {
            removeIfGone(index, into: &effects)
            hasChanged = true
        }
        return hasChanged || wasTrial
    }

    private typealias EndedLease = (index: Int, held: Duration, wasTrial: Bool)

    private mutating func succeeded(
        _ lease: EndedLease,
        _ ticket: LeaseTicket,
        now: Moment,
        into effects: inout PoolEffects
    ) -> Bool {
        let index = lease.index
        let isNewer = replicas[index].outliers.isNewer(ticket.startedAt)
        // What began before an ejection says nothing about the time after it.
        if isNewer || replicas[index].outliers.phase == .fit {
            loads[index].latency.observe(lease.held, now: now)
        }
        replicas[index].outliers.succeeded()
        if isNewer {
            replicas[index].outliers.readmit(now: now)
            startSlowly(index, now: now)
            replicas[index].tell(.trialPassed, now: now, into: &effects)
            return true
        }
        // A replica that was judged down and yet delivers deserves a look.
        if replicas[index].health.isDown { probeSoon(index, now: now, into: &effects) }
        return false
    }

    private mutating func failed(
        _ lease: EndedLease,
        _ kind: FailureKind,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        let index = lease.index
        switch kind {
        case .connectRefused:
            if replicas[index].health.refused() {
                wentDown(index, .connectRefused, now: now, into: &effects)
            }
            probeSoon(index, now: now, into: &effects)
            return
        case .connectTimeout:
            probeSoon(index, now: now, into: &effects)
        case .timeout, .stalled, .silent:
            if replicas[index].outliers.phase == .fit {
                loads[index].latency.observeAtLeast(lease.held, now: now)
            }
        case .reset, .badStatus, .invalid:
            break
        }
        // One silence is one failure, which `fellSilent` has counted.
        if kind == .silent, !lease.wasTrial { return }
        let isOut = replicas[index].outliers.failed(options.outliers)
        if lease.wasTrial {
            eject(index, .trialFailed, now: now, into: &effects)
        } else if isOut, mayEject(index) {
            eject(index, .outlier, now: now, into: &effects)
        }
    }

    /// A full replica takes nothing new for the time it asked for, at most 60 s, by default 1 s.
    private mutating func hold(
        _ index: Int,
        for retryAfter: Duration?,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        let length = min(max(retryAfter ?? .seconds(1), .milliseconds(1)), .seconds(60))
        let until = max(replicas[index].heldUntil ?? now, now + length)
        replicas[index].heldUntil = until
        replicas[index].tell(.full, now: now, into: &effects)
        wake(at: until)
    }

    /// Bytes came from a replica.
    mutating func progressed(_ index: Int, now: Moment) {
        if replicas[index].progressed(now: now) { wake(at: now) }
    }

    // MARK: Silence

    /// Whether a replica with room, about which there is no doubt, is neither this one nor one of
    /// `tried`.
    func hasRoom(besides index: Int, _ tried: [ReplicaID]) -> Bool {
        loads.indices.contains { other in
            other != index && loads[other].hasRoom && replicas[other].isFit
                && replicas[other].doubt.isTrusted && !tried.contains(replicas[other].id)
        }
    }

    /// An attempt was given up that had heard nothing from the replica since `quietSince`.
    ///
    /// It is passed over from now on, if the pool can do without it, and asked at once.
    mutating func fellSilent(
        _ index: Int,
        quietSince: Moment,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        guard replicas[index].isFit else { return }
        if replicas[index].doubt.gaveUp(quietSince: quietSince, now: now),
            replicas[index].outliers.failed(options.outliers), mayEject(index)
        {
            eject(index, .outlier, now: now, into: &effects)
        } else if !replicas[index].doubt.isDoubted,
            Totals.Census(replicas).mayDoubt(options.outliers)
        {
            replicas[index].doubt.begin(now: now)
            replicas[index].tell(.silent, now: now, into: &effects)
        }
        probeSoon(index, now: now, into: &effects)
    }

    // MARK: Outliers

    /// Whether the pool can do without this replica.
    private func mayEject(_ index: Int) -> Bool {
        replicas[index].isFit && Totals.Census(replicas).mayEject(options.outliers)
    }

    private mutating func eject(
        _ index: Int,
        _ cause: TransitionCause,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        replicas[index].outliers.eject(options.outliers, forStall: cause == .stalled, now: now)
        replicas[index].doubt.end()
        replicas[index].slowStart = nil
        replicas[index].tell(cause, now: now, into: &effects)
        wake(at: replicas[index].outliers.ejectedUntil)
    }

    // MARK: Probes

    /// Takes in a probe's outcome and plans the next.
    mutating func probed(
        _ index: Int,
        _ outcome: ProbeOutcome,
        now: Moment,
        using random: inout SeededRandom,
        into effects: inout PoolEffects
    ) {
        replicas[index].health.note(outcome, now: now)
        switch outcome {
        case .passed, .connected:
            replicas[index].isBusy = false
            if replicas[index].health.passed(rise: options.health.rise) {
                replicas[index].upSince = now
                startSlowly(index, now: now)
            }
            if outcome == .connected {
                if replicas[index].doubt.connected(now: now) {
                    replicas[index].tell(.approval, now: now, into: &effects)
                }
            } else {
                replicas[index].doubt.end()
            }
            replicas[index].tell(.probePassed, now: now, into: &effects)
        case .timedOut where isExcused(index, now: now):
            replicas[index].isBusy = true
            replicas[index].tell(.busy, now: now, into: &effects)
        case .timedOut:
            if replicas[index].health.failed(fall: options.health.fall) {
                wentDown(index, .probeTimedOut, now: now, into: &effects)
            }
        case .failed(let status):
            if status != nil { replicas[index].doubt.end() }
            if replicas[index].health.failed(fall: options.health.fall) {
                wentDown(index, .probeFailed, now: now, into: &effects)
            }
            replicas[index].tell(.heardAgain, now: now, into: &effects)
        case .refused:
            if replicas[index].health.refused() {
                wentDown(index, .connectRefused, now: now, into: &effects)
            }
        }
        let since = replicas[index].since
        replicas[index].health.plan(
            options.health,
            stateSince: since,
            isInDoubt: !replicas[index].doubt.isTrusted,
            now: now,
            using: &random
        )
    }

    private func isExcused(_ index: Int, now: Moment) -> Bool {
        replicas[index].health.isProven && !replicas[index].health.isDown
            && replicas[index].activity.excusesTimeout(options, now: now)
    }

    private mutating func wentDown(
        _ index: Int,
        _ cause: TransitionCause,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        replicas[index].isBusy = false
        replicas[index].heldUntil = nil
        replicas[index].slowStart = nil
        replicas[index].upSince = nil
        loads[index].latency = PeakLatency()
        replicas[index].outliers.wentDown(now: now)
        replicas[index].doubt.end()
        replicas[index].tell(cause, now: now, into: &effects)
        effects.add(.closeIdle(replicas[index].id))
    }

    private mutating func probeSoon(
        _ index: Int,
        now: Moment,
        into effects: inout PoolEffects
    ) {
        guard replicas[index].isListed, replicas[index].health.nextProbe > now else { return }
        replicas[index].health.nextProbe = now
        effects.add(.probeSoon(replicas[index].id))
    }

    // MARK: Slow start

    /// Begins a ramp, unless there is nothing to ramp or every replica in service is new.
    private mutating func startSlowly(_ index: Int, now: Moment) {
        replicas[index].slowStart = nil
        let duration = options.slowStart
        guard duration > .zero else { return }
        let hasSettledPeer = replicas.contains { peer in
            guard peer.id != replicas[index].id, peer.isFit, peer.slowStart == nil else {
                return false
            }
            return peer.upSince.map { $0 + duration <= now } ?? false
        }
        guard hasSettledPeer else { return }
        replicas[index].slowStart = SlowStart(began: now, duration: duration)
        endNeedlessSlowStart(index)
        wake(at: replicas[index].slowStart?.end)
    }

    /// A limit of 1 has no ramp, and a pool without slow start has none either.
    private mutating func endNeedlessSlowStart(_ index: Int) {
        if replicas[index].fullLimit(options) == 1 || options.slowStart <= .zero {
            replicas[index].slowStart = nil
        }
    }

    // MARK: Time

    /// Does what is due for replicas; `refresh` must follow.
    mutating func advance(to now: Moment, into effects: inout PoolEffects) {
        guard let due = nextEvent, due <= now else { return }
        nextEvent = nil
        for index in replicas.indices {
            advance(index, to: now, into: &effects)
            wake(at: replicas[index].heldUntil)
            wake(at: replicas[index].slowStart?.end)
            wake(at: replicas[index].outliers.ejectedUntil)
            wake(at: replicas.stallDue(index, after: options.stall))
        }
    }

    private mutating func advance(
        _ index: Int,
        to now: Moment,
        into effects: inout PoolEffects
    ) {
        if let until = replicas[index].heldUntil, until <= now {
            replicas[index].heldUntil = nil
            replicas[index].tell(.holdEnded, now: now, into: &effects)
        }
        if let ramp = replicas[index].slowStart, ramp.end <= now {
            replicas[index].slowStart = nil
            replicas[index].tell(.slowStartOver, now: now, into: &effects)
        }
        replicas[index].settleDoubt(now: now, into: &effects)
        if let until = replicas[index].outliers.ejectedUntil, until <= now {
            replicas[index].outliers.beginTrials()
            // An old peak would keep `peak-ewma` from ever trying it; unmeasured goes first.
            loads[index].latency = PeakLatency()
            replicas[index].tell(.trial, now: now, into: &effects)
        }
        if let due = replicas.stallDue(index, after: options.stall), due <= now {
            if mayEject(index) {
                eject(index, .stalled, now: now, into: &effects)
            } else {
                replicas[index].activity.excuseStall(now: now)
            }
        }
    }

    /// Makes sure that `nextEvent` is not after `instant`.
    private mutating func wake(at instant: Moment?) {
        guard let instant else { return }
        nextEvent = nextEvent.map { min($0, instant) } ?? instant
    }

    /// Brings every limit and the totals in line with the evidence.
    ///
    /// O(replicas).
    mutating func refresh(now: Moment) {
        totals.refresh(replicas, &loads, options: options, now: now)
        // One that came back with old requests in flight may be overdue.
        for index in replicas.indices {
            wake(at: replicas.stallDue(index, after: options.stall))
        }
    }
}

/// Of the array, since a function of the roster would be handed a copy of the roster.
extension [Replica] {
    /// When silence gets a replica ejected; only a fit one can be.
    func stallDue(_ index: Int, after stall: Duration) -> Moment? {
        guard self[index].isFit else { return nil }
        return self[index].activity.stallDue(after: Swift.max(stall, .milliseconds(1)))
    }

    /// The position of a replica; `nil` when it is gone.
    ///
    /// O(log replicas), and at once where none before it has gone.
    func index(of id: ReplicaID) -> Int? {
        guard let first else { return nil }
        // Ids ascend, so that it is nowhere after this.
        let last = Swift.min(id.raw - first.id.raw, count - 1)
        guard last >= 0 else { return nil }
        if self[last].id == id { return last }
        var low = 0
        var high = last
        while low < high {
            let middle = (low + high) / 2
            if self[middle].id.raw < id.raw { low = middle + 1 } else { high = middle }
        }
        return self[low].id == id ? low : nil
    }
}
