// A pool alone in a random world: arrivals, faults, drains, reloads, late timers; one seed decides
// all of it. After every event the promises of the pool are held against a plain model.
import Testing

@testable import Balancing

/// A world that replays from its seed.
struct PoolWorld {
    private(set) var state: PoolState
    private(set) var now = start
    /// What happened, folded into one number: equal seeds must give equal traces.
    private(set) var trace: UInt64 = 0
    /// Everything that arrived, by how it ended.
    private(set) var tally = Tally()

    private var random: SeededRandom
    private var faults: Faults
    private var listed: [ReplicaSpec] = []
    private var temper: [String: Temper] = [:]
    private var leases: [Lease] = []
    private var waiting: [WaiterID: Standing] = [:]
    private var arrivals = 0
    private var told: [ReplicaID: ReplicaState] = [:]
    private var trials: [ReplicaID: Moment] = [:]
    private var gone: Set<ReplicaID> = []

    struct Tally: Equatable {
        var arrived = 0
        var leased = 0
        var granted = 0
        var shed = 0
        var withdrawn = 0
        var ended = 0
    }

    /// How a replica behaves, until it changes its mind.
    enum Temper: CaseIterable {
        case good, slow, refusing, failing, hanging, full
    }

    /// Which faults this world has at all; each seed switches some off.
    struct Faults {
        var tempers: [Temper]
        var hasLateTimers: Bool
        var hasDrains: Bool
        var hasReloads: Bool
        var hasLeavers: Bool
        var hasRetries: Bool
    }

    private struct Lease {
        let ticket: LeaseTicket
        let endpoint: String
        let endAt: Moment
        let verdict: Verdict
    }

    private struct Standing {
        let order: Int
        let rank: Waiter.Rank
        let deadline: Moment
        let excludes: Bool
    }

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        var tempers: [Temper] = [.good, .good, .slow]
        for temper in Temper.allCases where Bool.random(using: &random) { tempers.append(temper) }
        faults = Faults(
            tempers: tempers,
            hasLateTimers: Bool.random(using: &random),
            hasDrains: Bool.random(using: &random),
            hasReloads: Bool.random(using: &random),
            hasLeavers: Bool.random(using: &random),
            hasRetries: Bool.random(using: &random)
        )
        let options = Self.options(&random)
        state = PoolState(options: options, seed: random.next())
    }

    // MARK: Chance

    private static func options(_ random: inout SeededRandom) -> PoolOptions {
        PoolOptions(
            concurrency: Int.random(in: 1...4, using: &random),
            policy: Policies.all.randomElement(using: &random) ?? .leastConnections,
            queue: QueueOptions(
                limit: Int.random(in: 0...30, using: &random),
                bytes: Int.random(in: 0...2_000, using: &random),
                timeout: .seconds(Int.random(in: 1...20, using: &random)),
                patience: .seconds(Int.random(in: 1...20, using: &random))
            ),
            slowStart: .seconds(Int.random(in: 0...20, using: &random)),
            outliers: OutlierOptions(consecutive: Int.random(in: 1...5, using: &random)),
            stall: .seconds(Int.random(in: 5...40, using: &random))
        )
    }

    private mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

    // MARK: Steps

    /// Runs `count` steps, each some events at one instant.
    mutating func run(_ count: Int) throws {
        try relist()
        for _ in 0..<count { try step() }
    }

    private mutating func step() throws {
        now = now + .milliseconds(below(chance(2) ? 10_000 : 300))
        try endDueLeases()
        try sendDueProbes()
        try runTimer(isLate: faults.hasLateTimers && chance(30))
        for _ in 0..<below(4) { try arrive() }
        if faults.hasLeavers, chance(10), let id = waiting.keys.min(by: { $0.raw < $1.raw }) {
            let wasThere = state.withdraw(id, now: now)
            #expect(wasThere)
            waiting[id] = nil
            tally.withdrawn += 1
            check()
        }
        if chance(20) { try giveUpOne() }
        if chance(20), let lease = leases.randomElement(using: &random) {
            state.progressed(lease.ticket.replica, now: now)
        }
        if chance(3), let spec = listed.randomElement(using: &random) {
            temper[spec.endpoint] = faults.tempers.randomElement(using: &random)
        }
        if chance(2) { try relist() }
        if faults.hasDrains, chance(2), let id = ids.randomElement(using: &random) {
            try perform(state.setDraining(id, chance(50), now: now))
        }
        if faults.hasReloads, chance(1) {
            try perform(state.configure(Self.options(&random), now: now))
        }
    }

    private var ids: [ReplicaID] { state.snapshot().replicas.map(\.id) }

    private mutating func relist() throws {
        var specs: [ReplicaSpec] = []
        for number in 0..<7 where chance(60) {
            specs.append(
                ReplicaSpec(
                    endpoint: TestPool.endpoint(number),
                    weight: 1 + below(3),
                    concurrency: chance(20) ? 1 + below(5) : nil
                )
            )
        }
        listed = specs
        try perform(state.setReplicas(specs, now: now))
    }

    private mutating func arrive() throws {
        let isRetry = faults.hasRetries && chance(15)
        let tried = isRetry ? ids.filter { _ in chance(30) } : []
        let arrival = Arrival(
            deadline: now + .milliseconds(below(chance(50) ? 60_000 : 3_000)),
            priority: below(3),
            bytes: below(200),
            affinity: chance(70) ? random.next() % 50 : nil,
            excluding: tried,
            isRetry: isRetry
        )
        tally.arrived += 1
        arrivals += 1
        let snapshot = state.snapshot()
        switch state.arrive(arrival, now: now) {
        case .leased(let ticket):
            tally.leased += 1
            #expect(waiting.values.allSatisfy { $0.excludes }, "a newcomer passed one who waits")
            try begin(ticket, deadline: arrival.deadline)
        case .waiting(let id):
            #expect(waiting[id] == nil)
            #expect(snapshot.waiters < snapshot.queueLimit)
            #expect(snapshot.queueBytes + arrival.bytes <= state.options.queue.bytes)
            waiting[id] = Standing(
                order: arrivals,
                rank: Waiter.Rank(priority: arrival.priority, isRetry: isRetry),
                deadline: arrival.deadline,
                excludes: !tried.isEmpty
            )
        case .shed(let shed):
            tally.shed += 1
            checkAdvice(shed)
        }
        check()
    }

    private mutating func endDueLeases() throws {
        while let index = leases.indices.filter({ leases[$0].endAt <= now }).randomElement(
            using: &random
        ) {
            let lease = leases.remove(at: index)
            tally.ended += 1
            let id = lease.ticket.replica
            if trials[id] == lease.ticket.startedAt { trials[id] = nil }
            try perform(state.end(lease.ticket, lease.verdict, now: now))
        }
    }

    /// Gives an attempt up that has heard nothing since it began, if the pool lets it.
    private mutating func giveUpOne() throws {
        guard let index = leases.indices.randomElement(using: &random) else { return }
        let lease = leases[index]
        let before = state.snapshot()
        let (isGranted, effects) = state.giveUp(
            on: lease.ticket.replica,
            quietSince: lease.ticket.startedAt,
            avoiding: [],
            now: now
        )
        guard isGranted else { return }
        let hasOther = before.replicas.contains {
            $0.id != lease.ticket.replica && $0.inFlight < $0.limitNow
        }
        #expect(hasOther, "given up without room elsewhere")
        try perform(effects)
        leases.remove(at: index)
        tally.ended += 1
        let id = lease.ticket.replica
        if trials[id] == lease.ticket.startedAt { trials[id] = nil }
        try perform(state.end(lease.ticket, .failure(.silent), now: now))
    }

    private mutating func sendDueProbes() throws {
        for replica in state.snapshot().replicas {
            guard let due = state.nextProbe(of: replica.id), due <= now else { continue }
            let outcome: ProbeOutcome =
                switch temper[replica.endpoint] ?? .good {
                case .refusing: .refused
                case .hanging: .timedOut
                case .slow: chance(50) ? .timedOut : .passed
                case .failing: chance(30) ? .failed(status: 500) : .passed
                case .good: chance(30) ? .connected : .passed
                case .full: .passed
                }
            try perform(state.probed(replica.id, outcome, now: now))
        }
    }

    private mutating func runTimer(isLate: Bool) throws {
        guard let due = state.nextEvent, due <= now, !isLate else { return }
        try perform(state.advance(to: now))
        #expect(state.nextEvent.map { $0 > now } ?? true, "due again at once")
        #expect(waiting.values.allSatisfy { $0.deadline > now }, "waits past its deadline")
    }

    // MARK: Effects

    private mutating func begin(
        _ ticket: LeaseTicket,
        deadline: Moment
    ) throws {
        #expect(deadline > now, "dispatched past its deadline")
        let snapshot = state.snapshot()
        let replica = try #require(snapshot.replicas.first { $0.id == ticket.replica })
        let isUsable = ![.down, .draining].contains(replica.state)
        #expect(isUsable && (replica.state != .ejected || snapshot.isPanicking))
        #expect(replica.inFlight <= replica.concurrencyLimit)
        if ticket.isTrial {
            #expect(trials[ticket.replica] == nil, "two trials at a time")
            trials[ticket.replica] = ticket.startedAt
        } else if !snapshot.isPanicking {
            #expect(replica.inFlight <= replica.limitNow)
        }
        let temper = temper[replica.endpoint] ?? .good
        leases.append(lease(ticket, on: replica.endpoint, temper, deadline: deadline))
    }

    private mutating func lease(
        _ ticket: LeaseTicket,
        on endpoint: String,
        _ temper: Temper,
        deadline: Moment
    ) -> Lease {
        let leaves = chance(5)
        let (length, verdict): (Int, Verdict) =
            switch temper {
            case .good: (below(500), leaves ? .abandoned : .success)
            case .slow: (1_000 + below(9_000), leaves ? .abandoned : .success)
            case .refusing: (0, .failure(.connectRefused))
            case .failing: (below(50), chance(80) ? .failure(.badStatus(502)) : .success)
            case .hanging: (60_000, .failure(.timeout))
            case .full: (below(50), .full(retryAfter: chance(50) ? .seconds(below(5)) : nil))
            }
        let endAt = min(now + .milliseconds(length), deadline)
        return Lease(ticket: ticket, endpoint: endpoint, endAt: endAt, verdict: verdict)
    }

    private mutating func perform(_ effects: PoolEffects) throws {
        for change in effects.transitions { checkTransition(change) }
        for shed in effects.sheds {
            let standing = waiting.removeValue(forKey: shed.waiter)
            #expect(standing != nil, "shed one who does not wait")
            if shed.shed == Shed(.deadline), let standing { #expect(standing.deadline <= now) }
            checkAdvice(shed.shed)
            tally.shed += 1
        }
        for grant in effects.grants {
            let found = waiting.removeValue(forKey: grant.waiter)
            let standing = try #require(found, "granted to one who does not wait")
            let passed = waiting.values.contains { other in
                guard !other.excludes, other.deadline > now else { return false }
                return other.rank == standing.rank
                    ? other.order < standing.order : other.rank > standing.rank
            }
            #expect(!passed, "served out of order")
            tally.granted += 1
            try begin(grant.ticket, deadline: standing.deadline)
        }
        for id in effects.removed {
            #expect(!leases.contains { $0.ticket.replica == id }, "removed with work in flight")
            let isNew = gone.insert(id).inserted
            #expect(isNew, "removed twice")
            told[id] = nil
            trials[id] = nil
        }
        checkNobodyWaitsInVain()
        check()
    }

    private mutating func checkTransition(_ change: Transition) {
        #expect(change.from != change.to)
        #expect(change.from == told[change.replica] ?? .warming)
        told[change.replica] = change.to
        if change.why == .trial { trials[change.replica] = nil }
        guard change.why == .outlier || change.why == .stalled else { return }
        let members = state.snapshot().replicas.filter { $0.state != .draining }
        let ejected = members.filter { $0.state == .ejected }
        #expect(2 * ejected.count <= members.count, "more than half ejected")
    }

    // MARK: Promises

    private func checkAdvice(_ shed: Shed) {
        if let advice = shed.retryAfter {
            #expect(advice >= .seconds(1) && advice <= .seconds(30))
        } else {
            #expect(shed.reason == .deadline)
        }
    }

    /// One who avoids no replica waits only while none has room.
    private func checkNobodyWaitsInVain() {
        guard waiting.values.contains(where: { !$0.excludes && $0.deadline > now }) else { return }
        let hasRoom = state.snapshot().replicas.contains { $0.inFlight < $0.limitNow }
        #expect(!hasRoom, "waits although a replica has room")
    }

    /// What holds after every event.
    private mutating func check() {
        let snapshot = state.snapshot()
        var again = state
        again.noteNextEvent()
        #expect(state.nextEvent == again.nextEvent, "the next event is not what it was told to be")
        #expect(snapshot.waiters == waiting.count)
        #expect(snapshot.inFlight == leases.count)
        #expect(snapshot.outstanding == leases.count + waiting.count)
        let begun = tally.leased + tally.granted
        #expect(tally.arrived == begun + tally.shed + tally.withdrawn + waiting.count)
        #expect(begun == tally.ended + leases.count)
        var byReplica: [ReplicaID: Int] = [:]
        for lease in leases { byReplica[lease.ticket.replica, default: 0] += 1 }
        for replica in snapshot.replicas {
            #expect(replica.inFlight == byReplica[replica.id] ?? 0)
            #expect(replica.state == told[replica.id] ?? .warming, "changed without a word")
            #expect(!gone.contains(replica.id))
            trace = SeededRandom.mix(trace ^ UInt64(replica.inFlight + 1))
        }
        trace = SeededRandom.mix(trace ^ UInt64(snapshot.waiters))
    }

    // MARK: Ends

    /// No more faults: everything must recover, and all who wait be served or told.
    mutating func heal() throws {
        for number in 0..<7 { temper[TestPool.endpoint(number)] = .good }
        faults = Faults(
            tempers: [.good],
            hasLateTimers: false,
            hasDrains: false,
            hasReloads: false,
            hasLeavers: false,
            hasRetries: false
        )
        listed = (0..<3).map { ReplicaSpec(endpoint: TestPool.endpoint($0)) }
        try perform(state.setReplicas(listed, now: now))
        for id in ids { try perform(state.setDraining(id, false, now: now)) }
        for _ in 0..<1_200 {
            now = now + .milliseconds(500)
            try endDueLeases()
            try sendDueProbes()
            try runTimer(isLate: false)
            try arrive()
        }
        let states = state.snapshot().replicas.map(\.state)
        #expect(states == [.ready, .ready, .ready])
    }

    /// The gateway stops: after the last lease nothing is left.
    mutating func end() throws {
        try perform(state.stop(now: now))
        #expect(waiting.isEmpty)
        try perform(state.setReplicas([], now: now))
        now = now + .seconds(600)
        try endDueLeases()
        let snapshot = state.snapshot()
        #expect(snapshot.outstanding == 0 && snapshot.replicas.isEmpty)
    }
}
