// The lock, the waiters and the timer around the shared decisions of one pool.
//
// Every event goes the same way: take the lock, tell `PoolState`, note what became of waiters,
// leave the lock, perform the effects. Nothing waits under the lock.

internal import Balancing
internal import Synchronization
internal import Telemetry
internal import Transport

/// The replicas of one model and their waiting room, shared by all loops.
final class Pool: Sendable {
    let name: String
    let metrics: PoolMetrics
    private let state: Mutex<State>
    private let desired = Atomic<Int>(-1)
    private let patience = SharedPatience()
    let log: Log
    /// Closes kept connections on every loop.
    private let closeIdle: @Sendable (Int) -> Void
    /// Told when a replica is gone: its endpoint.
    private let onRemoved: Mutex<[@Sendable (String) -> Void]>

    /// One who stands in the queue: where it is resumed, and what it got.
    private struct Waiting {
        enum Outcome {
            case granted(LeaseTicket)
            case shed(Shed)
        }
        let loop: Loop
        let parking: Parking
        var outcome: Outcome?
    }

    private struct State {
        var decisions: PoolState
        var endpoints = Endpoints()
        var addresses: [String: Address] = [:]
        var waiting: [WaiterID: Waiting] = [:]
        var probers: [ReplicaID: Spot] = [:]
        /// Where the timekeeper waits, and until when.
        var timekeeper: Spot?
        var armedFor: Moment?
        var latest = Moment(nanoseconds: .min)
        /// What `patience` was last set to.
        var patienceNanoseconds: Int64?

        /// The loops' clocks may differ by a turn; the pool's never goes back.
        mutating func clock(_ now: Instant) -> Moment {
            latest = max(now.moment, latest)
            return latest
        }
    }

    /// A task that can be resumed from anywhere.
    private struct Spot {
        let loop: Loop
        let parking: Parking
        func wake() { loop.wake(parking) }
    }

    init(
        name: String,
        options: PoolOptions,
        seed: UInt64,
        metrics: PoolMetrics,
        log: Log,
        closeIdle: @escaping @Sendable (Int) -> Void
    ) {
        self.name = name
        self.metrics = metrics
        self.log = log
        self.closeIdle = closeIdle
        onRemoved = Mutex([])
        var state = State(decisions: PoolState(options: options, seed: seed))
        state.patienceNanoseconds = state.decisions.patienceNanoseconds
        patience.set(state.patienceNanoseconds)
        self.state = Mutex(state)
    }

    // MARK: the way of a request

    /// Waits for a slot of a replica, or is shed.
    ///
    /// - Throws: `.shed`, or `.clientGone` and `.stopping` while waiting.
    func lease(for exchange: Exchange) async throws(ExchangeError) -> Lease {
        let lane = exchange.lane
        let started = lane.now
        do throws(ExchangeError) {
            let (ticket, endpoint) =
                switch arrive(exchange) {
                case .leased(let slot): slot
                case .shed(let shed): throw .shed(shed)
                case .waiting(let id): try await wait(as: id, for: exchange)
                }
            metrics.waited(lane.now - started, .leased, stripe: lane.index)
            exchange.leased(endpoint, after: lane.now - started)
            return Lease(ticket, of: endpoint, in: self, for: exchange)
        } catch {
            var outcome = QueueOutcome.clientGone
            if case .shed = error { outcome = .shed }
            metrics.waited(lane.now - started, outcome, stripe: lane.index)
            throw error
        }
    }

    private typealias Slot = (ticket: LeaseTicket, endpoint: Endpoint)

    /// What the decisions answer an arrival, with the endpoint that a lease is for.
    private enum Arrived {
        case leased(Slot)
        case waiting(WaiterID)
        case shed(Shed)
    }

    private func arrive(_ exchange: Exchange) -> Arrived {
        let arrival = Arrival(
            deadline: exchange.deadline.moment,
            priority: exchange.priority,
            bytes: exchange.body.bytesHeld,
            affinity: exchange.affinity,
            excluding: exchange.tried,
            isRetry: exchange.attempts > 0
        )
        let lane = exchange.lane
        let (arrived, alarm) = state.withLock { state in
            let arrived: Arrived
            switch state.decisions.arrive(arrival, now: state.clock(lane.now)) {
            case .leased(let ticket):
                arrived = .leased((ticket, state.endpoints.leased(ticket)))
            case .waiting(let id):
                state.waiting[id] = Waiting(loop: lane.loop, parking: exchange.client.parking)
                arrived = .waiting(id)
            case .shed(let shed):
                arrived = .shed(shed)
            }
            return (arrived, alarmIfDue(&state))
        }
        alarm?.wake()
        return arrived
    }

    private func wait(
        as id: WaiterID,
        for exchange: Exchange
    ) async throws(ExchangeError) -> Slot {
        exchange.client.keepSnugly(exchange.body)
        while true {
            do throws(ExchangeError) {
                // The queue's own bounds end the wait, through the timekeeper.
                try await exchange.wait(until: exchange.deadline + .seconds(1))
            } catch {
                withdraw(id, now: exchange.lane.now)
                throw error
            }
            let arrived: Arrived? = state.withLock { state in
                guard let outcome = state.waiting[id]?.outcome else { return nil }
                state.waiting[id] = nil
                switch outcome {
                case .granted(let ticket):
                    return .leased((ticket, state.endpoints.leased(ticket)))
                case .shed(let shed):
                    return .shed(shed)
                }
            }
            switch arrived {
            case .leased(let slot):
                return slot
            case .shed(let shed):
                throw .shed(shed)
            case nil, .waiting:
                // A pool that is gone from the configuration has no timekeeper any more.
                guard exchange.lane.now >= exchange.deadline + .seconds(1) else { continue }
                withdraw(id, now: exchange.lane.now)
                throw .deadline
            }
        }
    }

    /// The client of a waiter has left; a slot it was granted meanwhile goes back.
    private func withdraw(_ id: WaiterID, now: Instant) {
        change(now) { state, now in
            let waiting = state.waiting.removeValue(forKey: id)
            if state.decisions.withdraw(id, now: now) { return PoolEffects() }
            guard case .granted(let ticket) = waiting?.outcome else { return PoolEffects() }
            return state.decisions.end(ticket, .abandoned, now: now)
        }
    }

    /// Gives a slot back, and counts the attempt.
    ///
    /// Only `Lease` calls this; not inlined, since the lease would keep for itself all that is used
    /// here while it gives up what it holds.
    @inline(never)
    func end(
        _ ticket: LeaseTicket,
        of endpoint: Endpoint,
        _ verdict: Verdict,
        for exchange: Exchange
    ) {
        let (now, stripe) = (exchange.lane.now, exchange.lane.index)
        endpoint.metrics.attempted(verdict.attemptResult, stripe: stripe)
        metrics.spent(now - Instant(ticket.startedAt), .total, stripe: stripe)
        let firstByte = exchange.firstByte
        change(now) { state, now in
            let effects = state.decisions.end(ticket, verdict, firstByte: firstByte, now: now)
            note(patienceOf: &state)
            return effects
        }
    }

    private func note(patienceOf state: inout State) {
        let nanoseconds = state.decisions.patienceNanoseconds
        guard nanoseconds != state.patienceNanoseconds else { return }
        state.patienceNanoseconds = nanoseconds
        patience.set(nanoseconds)
    }

    /// Notes that bytes came from a replica.
    func progressed(_ endpoint: Endpoint, now: Instant) {
        endpoint.isInDoubt.store(false, ordering: .relaxed)
        let alarm = state.withLock { state in
            state.decisions.progressed(endpoint.id, now: state.clock(now))
            return alarmIfDue(&state)
        }
        alarm?.wake()
    }

    /// Whether an attempt that has heard nothing from its replica since `quietSince` goes on with
    /// another one, which has room right now and is none of `tried`; the budget has paid then.
    func giveUp(
        on endpoint: Endpoint,
        quietSince: Instant,
        avoiding tried: [ReplicaID],
        now: Instant
    ) -> Bool {
        var isGranted = false
        change(now) { state, now in
            let answer = state.decisions.giveUp(
                on: endpoint.id,
                quietSince: quietSince.moment,
                avoiding: tried,
                now: now
            )
            isGranted = answer.isGranted
            // Under the lock, so that no byte that ends the doubt comes before it.
            if isGranted { endpoint.isInDoubt.store(true, ordering: .relaxed) }
            return answer.effects
        }
        return isGranted
    }

    /// Takes one retry out of the pool's budget.
    func withdrawFromRetryBudget(now: Instant) -> Bool {
        state.withLock { state in
            state.decisions.withdrawFromRetryBudget(now: state.clock(now))
        }
    }

    // MARK: membership and health

    /// Makes the pool's replicas those listed, each with the address to connect to.
    ///
    /// Returns the replicas that need a prober.
    func setReplicas(_ wanted: [(ReplicaSpec, Address)], now: Instant) -> [Endpoint] {
        var unprobed: [Endpoint] = []
        var stale: [Int] = []
        change(now) { state, now in
            let effects = state.decisions.setReplicas(wanted.map(\.0), now: now)
            for (spec, address) in wanted {
                guard let id = state.decisions.replica(at: spec.endpoint) else { continue }
                let known = state.endpoints[id]
                if known?.address != address {
                    if let known { stale.append(known.key) }
                    let endpoint = Endpoint(
                        id: id,
                        key: Pool.nextKey(),
                        address: address,
                        name: spec.endpoint,
                        metrics: metrics.replica(spec.endpoint),
                        patience: patience
                    )
                    state.endpoints.set(endpoint)
                }
                if state.probers[id] == nil, let endpoint = state.endpoints[id] {
                    unprobed.append(endpoint)
                }
            }
            return effects
        }
        for key in stale { closeIdle(key) }
        return unprobed
    }

    private static let keys = Atomic<Int>(0)
    private static func nextKey() -> Int { keys.add(1, ordering: .relaxed).newValue }

    /// Takes new settings.
    func configure(_ options: PoolOptions, now: Instant) {
        change(now) { state, now in
            let effects = state.decisions.configure(options, now: now)
            note(patienceOf: &state)
            return effects
        }
    }

    /// Drains a replica for an operator, or takes it back; false when there is no such replica.
    func setDraining(_ endpoint: String, _ isDraining: Bool, now: Instant) -> Bool {
        var isKnown = false
        change(now) { state, now in
            guard let id = state.decisions.replica(at: endpoint) else { return PoolEffects() }
            isKnown = true
            return state.decisions.setDraining(id, isDraining, now: now)
        }
        return isKnown
    }

    /// The gateway stops: waiters and later arrivals are refused.
    func stop(now: Instant) {
        change(now) { state, now in state.decisions.stop(now: now) }
    }

    /// Registers where a replica's prober waits; false when it has one already.
    func startProber(of id: ReplicaID, on loop: Loop, at parking: Parking) -> Bool {
        state.withLock { state in
            guard state.probers[id] == nil else { return false }
            state.probers[id] = Spot(loop: loop, parking: parking)
            return true
        }
    }

    /// When the replica is to be probed next; nil, and its prober is forgotten, when it is leaving.
    func nextProbe(of id: ReplicaID) -> (at: Instant, endpoint: Endpoint)? {
        state.withLock { state in
            guard let next = state.decisions.nextProbe(of: id),
                let endpoint = state.endpoints[id]
            else {
                state.probers[id] = nil
                return nil
            }
            return (Instant(next), endpoint)
        }
    }

    func probed(_ id: ReplicaID, _ outcome: ProbeOutcome, now: Instant) {
        change(now) { state, now in state.decisions.probed(id, outcome, now: now) }
    }

    /// Whom else to tell the endpoint of a replica that is gone.
    ///
    /// After a reload two generations of processes may be in one pool: the old one drains.
    func whenRemoved(_ body: @escaping @Sendable (String) -> Void) {
        onRemoved.withLock { bodies in
            // More generations than this do not drain at once.
            if bodies.count == 8 { bodies.removeFirst() }
            bodies.append(body)
        }
    }

    /// Notes how many replicas the load asks for.
    func noteDesired(_ count: Int) { desired.store(count, ordering: .relaxed) }
    /// How many replicas the load asks for; -1 before anybody decided.
    var desiredReplicas: Int { desired.load(ordering: .relaxed) }

    /// The pool's gauges.
    func snapshot() -> PoolSnapshot { state.withLock { $0.decisions.snapshot() } }

    // MARK: time and effects

    /// Does what is due, at its time, until `isOver`.
    ///
    /// One task of one loop.
    func keepTime(on lane: Lane, until isOver: () -> Bool) async {
        let parking = Parking(on: lane.context)
        state.withLock { $0.timekeeper = Spot(loop: lane.loop, parking: parking) }
        while !isOver() {
            change(lane.now) { state, now in state.decisions.advance(to: now) }
            let next = state.withLock { state in
                state.armedFor = state.decisions.nextEvent
                return state.armedFor.map { Instant($0) }
            }
            await parking.park(until: next)
        }
        state.withLock { $0.timekeeper = nil }
    }

    /// Lets `keepTime` look whether it is over.
    func wakeTimekeeper() { state.withLock { $0.timekeeper }?.wake() }

    /// One event: under the lock the decision, outside what follows from it.
    private func change(
        _ now: Instant,
        _ event: (inout State, Moment) -> PoolEffects
    ) {
        let (consequences, alarm) = state.withLock { state in
            let effects = event(&state, state.clock(now))
            let consequences = effects.isEmpty ? nil : note(effects, in: &state)
            return (consequences, alarmIfDue(&state))
        }
        if let consequences { for spot in consequences.wakes { spot.wake() } }
        alarm?.wake()
        if let consequences { perform(consequences) }
    }

    /// What is left to do outside the lock when an event had effects, as few have.
    private struct Consequences {
        let effects: PoolEffects
        /// Whom to wake.
        let wakes: [Spot]
        /// What is gone.
        let removed: [Endpoint]
    }

    /// Writes down what became of waiters and replicas.
    private func note(_ effects: PoolEffects, in state: inout State) -> Consequences {
        var wakes: [Spot] = []
        for grant in effects.grants {
            state.waiting[grant.waiter]?.outcome = .granted(grant.ticket)
            guard let waiting = state.waiting[grant.waiter] else {
                preconditionFailure("a grant for a waiter that has left: \(grant.waiter)")
            }
            wakes.append(Spot(loop: waiting.loop, parking: waiting.parking))
        }
        for shed in effects.sheds {
            state.waiting[shed.waiter]?.outcome = .shed(shed.shed)
            if let waiting = state.waiting[shed.waiter] {
                wakes.append(Spot(loop: waiting.loop, parking: waiting.parking))
            }
        }
        for id in effects.probeSoon {
            if let prober = state.probers[id] { wakes.append(prober) }
        }
        for id in effects.removed {
            // Its prober ends when it finds the replica gone.
            if let prober = state.probers[id] { wakes.append(prober) }
        }
        let removed = effects.removed.compactMap { state.endpoints.remove($0) }
        return Consequences(effects: effects, wakes: wakes, removed: removed)
    }

    /// The timekeeper, if something is due before it would wake by itself.
    private func alarmIfDue(_ state: inout State) -> Spot? {
        guard let next = state.decisions.nextEvent else { return nil }
        if let armed = state.armedFor, armed <= next { return nil }
        state.armedFor = next
        return state.timekeeper
    }

    private func perform(_ consequences: Consequences) {
        let (effects, removed) = (consequences.effects, consequences.removed)
        let idle = state.withLock { state in
            effects.closeIdle.compactMap { state.endpoints[$0]?.key }
        }
        for key in idle + removed.map(\.key) { closeIdle(key) }
        for endpoint in removed {
            for tell in onRemoved.withLock({ $0 }) { tell(endpoint.name) }
        }
        for transition in effects.transitions {
            let words = transition.why.rawValue.replacingUnderscores
            log.info(
                "pool.\(name)",
                "replica \(transition.endpoint) \(transition.from) → \(transition.to) (\(words))"
            )
            if transition.to == .ejected && transition.from != .ejected {
                metrics.ejected(transition.why == .stalled ? .stalled : .failures)
            }
        }
        if !removed.isEmpty {
            metrics.retainReplicas(
                Set(state.withLock { $0.endpoints.all.map(\.name) })
            )
        }
    }
}

extension Instant {
    /// The same for the pool's decisions, which know nothing of the loops' clock.
    var moment: Moment { Moment(nanoseconds: nanoseconds) }
    init(_ moment: Moment) { self.init(nanoseconds: moment.nanoseconds) }
}

extension String {
    fileprivate var replacingUnderscores: String {
        String(map { $0 == "_" ? " " : $0 })
    }
}
