// A pool state with a clock in hand: what the tests of this module drive.
import Testing

@testable import Balancing

/// The instant at which every test begins.
let start = Moment(nanoseconds: 1_000_000_000_000)

/// A pool whose time moves only when told to.
struct TestPool {
    var state: PoolState
    var now = start

    /// A pool of `replicas` that have all passed a probe and stand at their full limit.
    init(
        replicas: Int = 1,
        concurrency: Int = 1,
        seed: UInt64 = 1,
        set: (inout PoolOptions) -> Void = { _ in }
    ) {
        var options = PoolOptions(concurrency: concurrency)
        set(&options)
        state = PoolState(options: options, seed: seed)
        list(replicas)
        for replica in ids { _ = state.probed(replica, .passed, now: now) }
    }

    var ids: [ReplicaID] { state.snapshot().replicas.map(\.id) }

    static func endpoint(_ number: Int) -> String { "10.0.0.\(number + 1):5000" }

    @discardableResult
    mutating func list(_ count: Int, from first: Int = 0) -> PoolEffects {
        state.setReplicas(
            (first..<(first + count)).map { ReplicaSpec(endpoint: Self.endpoint($0)) },
            now: now
        )
    }

    mutating func wait(_ duration: Duration) {
        now = now + duration
    }

    mutating func advance(_ duration: Duration = .zero) -> PoolEffects {
        now = now + duration
        return state.advance(to: now)
    }

    /// Advances step by step through everything that is due, as the gateway's timer does.
    mutating func pass(_ duration: Duration) -> [PoolEffects] {
        let end = now + duration
        var all: [PoolEffects] = []
        while let next = state.nextEvent, next <= end {
            now = max(now, next)
            all.append(state.advance(to: now))
        }
        now = end
        return all
    }

    mutating func arrive(
        within: Duration = .seconds(300),
        priority: Int = 0,
        bytes: Int = 0,
        affinity: UInt64? = nil,
        excluding: [ReplicaID] = [],
        isRetry: Bool = false
    ) -> Admission {
        state.arrive(
            Arrival(
                deadline: now + within,
                priority: priority,
                bytes: bytes,
                affinity: affinity,
                excluding: excluding,
                isRetry: isRetry
            ),
            now: now
        )
    }

    mutating func lease(excluding: [ReplicaID] = []) throws -> LeaseTicket {
        try #require(arrive(excluding: excluding).ticket)
    }

    mutating func waiter(priority: Int = 0, isRetry: Bool = false) throws -> WaiterID {
        try #require(arrive(priority: priority, isRetry: isRetry).waiter)
    }

    @discardableResult
    mutating func end(_ ticket: LeaseTicket, _ verdict: Verdict = .success) -> PoolEffects {
        state.end(ticket, verdict, now: now)
    }

    @discardableResult
    mutating func probe(_ id: ReplicaID, _ outcome: ProbeOutcome = .passed) -> PoolEffects {
        state.probed(id, outcome, now: now)
    }

    /// Serves `count` requests that take `each`, one after the other.
    mutating func serve(_ count: Int, each: Duration) throws {
        for _ in 0..<count {
            let ticket = try lease()
            wait(each)
            end(ticket)
        }
    }

    /// Fails requests on `id` until it is ejected or `count` are over.
    @discardableResult
    mutating func fail(_ id: ReplicaID, _ count: Int, _ kind: FailureKind = .reset) throws
        -> PoolEffects
    {
        var last = PoolEffects()
        for _ in 0..<count {
            let others = ids.filter { $0 != id }
            let ticket = try lease(excluding: others)
            try #require(ticket.replica == id)
            last = end(ticket, .failure(kind))
        }
        return last
    }

    func replica(_ id: ReplicaID) throws -> ReplicaSnapshot {
        try #require(state.snapshot().replicas.first { $0.id == id })
    }

    func stateOf(_ id: ReplicaID) throws -> ReplicaState {
        try replica(id).state
    }
}

extension Admission {
    var ticket: LeaseTicket? { if case .leased(let ticket) = self { ticket } else { nil } }
    var waiter: WaiterID? { if case .waiting(let waiter) = self { waiter } else { nil } }
    var shed: Shed? { if case .shed(let shed) = self { shed } else { nil } }
}

extension PoolEffects {
    var granted: [WaiterID] { grants.map(\.waiter) }
}
