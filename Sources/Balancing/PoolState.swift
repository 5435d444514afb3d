// The shared decisions of one pool: who is served now, who waits, who is refused.
//
//             room ──────────────▶ leased ──▶ ended
//   arrive ──┤                       ▲
//             no room ─▶ waiting ────┤ a slot became free
//             bounds ──▶ shed        ├─▶ shed (timeout, deadline, patience, stopping)
//                                    └─▶ withdrawn
//
// Plain and pure: every event brings its time and returns effects. `Pool` in the gateway holds
// one lock around all of it, calls, leaves the lock, performs the effects.
//
// Invariants after every event:
// - in flight ≤ limit on every replica; work is never bound to a replica without room;
// - after an event that returns effects nobody waits who could be served (save a waiter that
//   avoids the only replicas with room), in the order of rank and arrival;
// - a waiter leaves exactly once: granted, shed or withdrawn; never granted past its deadline;
// - the queue admits below its bounds only.

/// The state of one pool.
package struct PoolState: Sendable {
    private var roster: Roster
    private var queue = WaitQueue()
    private var completions = CompletionRate()
    private var retryBudget: RetryBudget
    private var patience: Patience
    private var random: SeededRandom
    private var isStopping = false
    /// The outlook for waiters, and since when it is so.
    private var outlook = Totals.Outlook.starting
    private var outlookSince: Moment?

    /// The latest instant for the next `advance`; `nil` when nothing will ever be due.
    ///
    /// May be earlier than anything happens. Read it after every event: it is stored, since what
    /// is read after each of a pool's events must not take a copy of its state.
    package private(set) var nextEvent: Moment?
    /// How long a replica may say nothing, on any connection, before `giveUp` is worth asking, in
    /// nanoseconds; `nil`: for ever.
    ///
    /// Stored for the same reason.
    package private(set) var patienceNanoseconds: Int64?

    /// Waiters that avoid all replicas with room are passed over; after this many in a row the
    /// search ends, so that one event has bounded work.
    private static let passedOverMax = 64

    /// A pool without replicas.
    ///
    /// `seed` decides every draw (jitter, random policies).
    package init(options: PoolOptions, seed: UInt64) {
        self.roster = Roster(options: options)
        self.retryBudget = RetryBudget(options: options.retry)
        self.patience = Patience(options.retry.attemptTimeout)
        self.random = SeededRandom(seed: seed)
        self.patienceNanoseconds = patience.nanoseconds
    }

    /// The settings in force.
    package var options: PoolOptions { roster.options }

    // MARK: Configuration and membership

    /// Takes new settings; counts, queue, health and learned values stay.
    package mutating func configure(
        _ options: PoolOptions,
        now: Moment
    ) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        retryBudget.configure(options.retry)
        patience.configure(options.retry.attemptTimeout)
        patienceNanoseconds = patience.nanoseconds
        roster.configure(options, now: now, into: &effects)
        settle(now: now, into: &effects)
        return effects
    }

    /// Makes the pool's replicas those of `wanted`, by endpoint.
    ///
    /// A new one is `warming` and takes work after its first passed probe; a missing one drains
    /// and is `removed` when nothing is in flight; one that comes back before that is as it was.
    package mutating func setReplicas(
        _ wanted: [ReplicaSpec],
        now: Moment
    ) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        roster.list(wanted, now: now, into: &effects)
        settle(now: now, into: &effects)
        return effects
    }

    /// Drains a replica for an operator, or takes it back.
    ///
    /// Holds over `setReplicas` until the replica is gone. An unknown id changes nothing.
    package mutating func setDraining(
        _ id: ReplicaID,
        _ isDraining: Bool,
        now: Moment
    ) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        guard let index = roster.replicas.index(of: id) else { return effects }
        roster.setDraining(index, isDraining, now: now, into: &effects)
        settle(now: now, into: &effects)
        return effects
    }

    // MARK: The way of a request

    /// Asks for a slot: it is leased, waited for, or refused.
    ///
    /// O(replicas).
    package mutating func arrive(_ arrival: Arrival, now: Moment) -> Admission {
        defer { noteNextEvent() }
        if !arrival.isRetry { retryBudget.deposit(now: now) }
        guard !isStopping else { return .shed(Shed(.stopping, retryAfter: pause(work: nil))) }
        guard arrival.deadline > now else { return .shed(Shed(.deadline)) }
        if mayGoFirst(now: now),
            let ticket = roster.lease(for: arrival, now: now, using: &random)
        {
            return .leased(ticket)
        }
        let waiter = Waiter(arrival, arrivedAt: now)
        if let shed = refusal(of: waiter, now: now) { return .shed(shed) }
        return .waiting(queue.insert(waiter))
    }

    /// The client of a waiter has left; `true` if the waiter still stood in the queue.
    ///
    /// `false` means that an effect has named it already: a grant must then be ended.
    package mutating func withdraw(_ waiter: WaiterID, now: Moment) -> Bool {
        defer { noteNextEvent() }
        return queue.remove(waiter) != nil
    }

    /// Gives a slot back, exactly once for each ticket, and says how it went.
    ///
    /// `firstByte` is what the first byte of an answer took; zero when none came.
    package mutating func end(
        _ lease: LeaseTicket,
        _ verdict: Verdict,
        firstByte: Duration = .zero,
        now: Moment
    ) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        measure(lease, verdict, now: now)
        if verdict == .success, firstByte > .zero {
            patience.record(firstByte)
            patienceNanoseconds = patience.nanoseconds
        }
        if roster.end(lease, verdict, now: now, into: &effects) {
            settle(now: now, into: &effects)
        } else if !queue.isEmpty {
            dispatch(now: now, into: &effects)
        }
        return effects
    }

    /// Bytes came from the replica (a response head or part of a body).
    ///
    /// Cheap, but under the lock: once a second and connection is enough.
    package mutating func progressed(_ id: ReplicaID, now: Moment) {
        defer { noteNextEvent() }
        guard let index = roster.replicas.index(of: id) else { return }
        roster.progressed(index, now: now)
    }

    /// Takes one retry out of the pool's budget; `false` when there is none left.
    package mutating func withdrawFromRetryBudget(now: Moment) -> Bool {
        retryBudget.withdraw(now: now)
    }

    /// Whether an attempt that has heard nothing from its replica since `quietSince` is given up:
    /// another replica, none of `tried`, must have room right now, and the retry budget pays.
    ///
    /// The replica is then passed over until it gives a sign of life. The attempt's lease is to be
    /// ended as `.failure(.silent)`.
    package mutating func giveUp(
        on id: ReplicaID,
        quietSince: Moment,
        avoiding tried: [ReplicaID],
        now: Moment
    ) -> (isGranted: Bool, effects: PoolEffects) {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        guard let index = roster.replicas.index(of: id), roster.hasRoom(besides: index, tried),
            retryBudget.withdraw(now: now)
        else { return (false, effects) }
        roster.fellSilent(index, quietSince: quietSince, now: now, into: &effects)
        settle(now: now, into: &effects)
        return (true, effects)
    }

    // MARK: Probes

    /// Takes in how a probe ended.
    ///
    /// A replica that is gone is ignored.
    package mutating func probed(
        _ id: ReplicaID,
        _ outcome: ProbeOutcome,
        now: Moment
    ) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        guard let index = roster.replicas.index(of: id) else { return effects }
        roster.probed(index, outcome, now: now, using: &random, into: &effects)
        settle(now: now, into: &effects)
        return effects
    }

    /// When the replica is to be probed next: at once when new, and again after `probeSoon`.
    ///
    /// `nil` when it is gone or leaving.
    package func nextProbe(of id: ReplicaID) -> Moment? {
        guard let index = roster.replicas.index(of: id), roster.replicas[index].isListed else {
            return nil
        }
        return roster.replicas[index].health.nextProbe
    }

    // MARK: Time

    /// Does everything that is due: timeouts, patience, deadlines, readmission, growth of limits,
    /// stalls, ended holds.
    ///
    /// To be called at `nextEvent`; earlier or later does no harm.
    package mutating func advance(to now: Moment) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        roster.advance(to: now, into: &effects)
        settle(now: now, into: &effects)
        expire(now: now, into: &effects)
        return effects
    }

    /// Brings `nextEvent` in line, as the last thing of every event.
    mutating func noteNextEvent() {
        nextEvent = roster.nextEvent
        if !queue.isEmpty { nextEvent = nextEventWithWaiters }
    }

    private var nextEventWithWaiters: Moment? {
        var next = roster.nextEvent
        if let growth = roster.totals.limitsChangeAt { next = min(next ?? growth, growth) }
        if let deadline = earliestDeadline { next = min(next ?? deadline, deadline) }
        if let timeout = earliestTimeout { next = min(next ?? timeout, timeout) }
        return next
    }

    /// The gateway stops: waiters and all later arrivals are refused; leases end as usual.
    package mutating func stop(now: Moment) -> PoolEffects {
        defer { noteNextEvent() }
        var effects = PoolEffects()
        isStopping = true
        while let waiter = queue.first {
            shed(waiter, Shed(.stopping, retryAfter: pause(work: nil)), into: &effects)
        }
        return effects
    }

    // MARK: Looking

    /// The pool's gauges.
    ///
    /// O(replicas), allocates.
    package func snapshot() -> PoolSnapshot {
        let usable = roster.loads.reduce(0) { $0 + ($1.isUsable ? $1.inFlight : 0) }
        let capacity = roster.totals.capacity
        let hasWork = usable > 0 || !queue.isEmpty
        let saturation = capacity > 0 ? min(Double(usable) / Double(capacity), 1) : nil
        return PoolSnapshot(
            replicas: zip(roster.replicas, roster.loads).map {
                ReplicaSnapshot($0, $1, options: roster.options)
            },
            waiters: queue.count,
            oldestWaiterSince: queue.oldest.flatMap { queue[$0]?.arrivedAt },
            queueLimit: queueLimit,
            queueBytes: queue.bytes,
            capacity: capacity,
            inFlight: roster.inFlight,
            outstanding: roster.inFlight + queue.count,
            saturation: saturation ?? (hasWork ? 1 : 0),
            completionRate: completions.perSecond(slots: capacity),
            isPanicking: roster.totals.isPanicking,
            isStopping: isStopping
        )
    }

    /// The id of the replica at `endpoint`; `nil` when the pool has none.
    ///
    /// O(replicas).
    package func replica(at endpoint: String) -> ReplicaID? {
        roster.replicas.first { $0.spec.endpoint == endpoint }?.id
    }

    /// The endpoint of a replica; `nil` when it is gone.
    package func endpoint(of id: ReplicaID) -> String? {
        roster.replicas.index(of: id).map { roster.replicas[$0].spec.endpoint }
    }

    // MARK: Admission

    private var queueLimit: Int { max(roster.options.queue.limit(slots: roster.totals.slots), 0) }

    /// Whether a newcomer may take a slot before anyone who waits: nobody does, or all who do
    /// avoid the replicas with room.
    private func mayGoFirst(now: Moment) -> Bool {
        if queue.isEmpty { return true }
        guard queue.excludingCount == queue.count else { return false }
        // A limit that has just grown belongs to those who wait; `advance` is due for it.
        return roster.totals.limitsChangeAt.map { now < $0 } ?? true
    }

    /// Why this newcomer must not wait; `nil` when it may.
    private mutating func refusal(of waiter: Waiter, now: Moment) -> Shed? {
        if outlook == .down, isPatienceSpent(by: now) {
            return Shed(.noReplicas, retryAfter: pause(work: nil))
        }
        let bytes = queue.bytes.addingReportingOverflow(waiter.bytes)
        if queue.count >= queueLimit || bytes.overflow
            || bytes.partialValue > roster.options.queue.bytes
        {
            return Shed(.queueFull, retryAfter: pause(work: queue.count + 1))
        }
        guard outlook == .serving, let rate = completionsPerSecond else { return nil }
        let work = queue.ahead(of: waiter.rank) + 1
        let start = now + .seconds(min(Double(work) / rate, 1e9))
        guard start + completions.quickest >= waiter.arrival.deadline else { return nil }
        return Shed(.deadline, retryAfter: pause(work: work))
    }

    /// Whether all replicas have been down for as long as patience lasts.
    private func isPatienceSpent(by now: Moment) -> Bool {
        outlookSince.map { $0 + roster.options.queue.patience <= now } ?? false
    }

    private var completionsPerSecond: Double? {
        completions.perSecond(slots: roster.totals.capacity)
    }

    /// When to come back: the time to complete `work` requests, or one probe interval when that
    /// is not the question, plus up to a second so that not all come at once; 1…30 s.
    private mutating func pause(work: Int?) -> Duration {
        var base = 1.0
        if let work {
            if let rate = completionsPerSecond { base = (Double(work) / rate).rounded(.up) }
        } else if outlook != .serving {
            base = seconds(of: roster.options.health.interval).rounded(.up)
        }
        let jitter = Double.random(in: 0..<1, using: &random)
        return .seconds(min(max(base + jitter, 1), 30))
    }

    /// Feeds the completion rate with leases during which the replica worked.
    private mutating func measure(
        _ lease: LeaseTicket,
        _ verdict: Verdict,
        now: Moment
    ) {
        let held = now - lease.startedAt
        switch verdict {
        case .success: completions.record(held: held, wasSuccess: true)
        case .abandoned, .failure(.timeout), .failure(.stalled):
            completions.record(held: held, wasSuccess: false)
        case .failure, .full: break
        }
    }

    // MARK: Service

    /// Brings limits, outlook and queue in line after something changed.
    private mutating func settle(
        now: Moment,
        into effects: inout PoolEffects
    ) {
        roster.refresh(now: now)
        if outlook != roster.totals.outlook || outlookSince == nil {
            outlook = roster.totals.outlook
            outlookSince = now
        }
        dispatch(now: now, into: &effects)
    }

    /// Serves waiters in order, as long as there is room for them.
    private mutating func dispatch(
        now: Moment,
        into effects: inout PoolEffects
    ) {
        var next = queue.first
        var passedOver = 0
        while let id = next, let waiter = queue[id], passedOver < Self.passedOverMax {
            next = queue.following(id)
            if waiter.arrival.deadline <= now {
                shed(id, Shed(.deadline), into: &effects)
                continue
            }
            if let ticket = roster.lease(for: waiter.arrival, now: now, using: &random) {
                _ = queue.remove(id)
                effects.add(.grant(Grant(waiter: id, ticket: ticket)))
            } else if waiter.arrival.excluding.isEmpty {
                return
            } else {
                passedOver += 1
            }
        }
    }

    // MARK: Expiry

    private var earliestDeadline: Moment? {
        queue.mostUrgent.flatMap { queue[$0]?.arrival.deadline }
    }

    /// When the longest waiting has waited enough.
    ///
    /// The clock of a wait starts anew when the outlook changes: those who were patient while
    /// nothing was usable are not shed at the moment help arrives. While all are down patience
    /// is the pool's, counted from the last one's fall, and later arrivals share what is left.
    private var earliestTimeout: Moment? {
        guard let oldest = queue.oldest, let waiter = queue[oldest] else { return nil }
        let since = outlookSince ?? waiter.arrivedAt
        switch outlook {
        case .serving: return max(since, waiter.arrivedAt) + roster.options.queue.timeout
        case .starting: return max(since, waiter.arrivedAt) + roster.options.queue.patience
        case .down: return since + roster.options.queue.patience
        }
    }

    /// Refuses all whose deadline or patience is over.
    private mutating func expire(
        now: Moment,
        into effects: inout PoolEffects
    ) {
        while let deadline = earliestDeadline, deadline <= now, let id = queue.mostUrgent {
            shed(id, Shed(.deadline), into: &effects)
        }
        while let timeout = earliestTimeout, timeout <= now, let id = queue.oldest {
            let isServing = outlook == .serving
            let pause = pause(work: isServing ? queue.count : nil)
            shed(
                id,
                Shed(isServing ? .queueTimeout : .noReplicas, retryAfter: pause),
                into: &effects
            )
        }
    }

    private mutating func shed(_ id: WaiterID, _ shed: Shed, into effects: inout PoolEffects) {
        _ = queue.remove(id)
        effects.add(.shed(ShedWaiter(waiter: id, shed: shed)))
    }
}
