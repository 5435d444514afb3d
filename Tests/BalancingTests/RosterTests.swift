import Testing

@testable import Balancing

@Suite struct `Listing replicas` {
    @Test func `starts new ones warming, to be probed at once`() throws {
        var pool = TestPool(replicas: 0)
        let effects = pool.list(2)
        #expect(effects.probeSoon == pool.ids)
        #expect(try pool.ids.map { try pool.stateOf($0) } == [.warming, .warming])
        #expect(pool.state.nextProbe(of: pool.ids[0]) == pool.now)
    }

    @Test func `uses a new one only after a probe passed`() throws {
        var pool = TestPool(replicas: 0)
        pool.list(1)
        #expect(pool.arrive().waiter != nil)
        pool.probe(pool.ids[0], .failed(status: 503))
        #expect(pool.state.snapshot().inFlight == 0)
    }

    @Test func `keeps those that stay`() {
        var pool = TestPool(replicas: 2)
        let before = pool.ids
        let effects = pool.list(3)
        #expect(Array(pool.ids.prefix(2)) == before)
        #expect(effects.removed.isEmpty && effects.transitions.isEmpty)
    }

    @Test func `removes an idle one at once`() {
        var pool = TestPool(replicas: 2)
        let gone = pool.ids[1]
        let effects = pool.list(1)
        #expect(effects.removed == [gone] && effects.closeIdle == [gone])
        #expect(pool.state.nextProbe(of: gone) == nil)
        #expect(pool.state.endpoint(of: gone) == nil)
    }

    @Test func `drains a busy one and removes it with its last lease`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        let effects = pool.list(0)
        #expect(effects.removed.isEmpty && effects.closeIdle == [ticket.replica])
        #expect(effects.transitions.map(\.to) == [.draining])
        #expect(pool.state.nextProbe(of: ticket.replica) == nil)
        #expect(pool.end(ticket).removed == [ticket.replica])
        #expect(pool.ids.isEmpty)
    }

    @Test func `gives nothing new to one that drains`() throws {
        var pool = TestPool(concurrency: 2)
        _ = try pool.lease()
        pool.list(0)
        #expect(pool.arrive().waiter != nil)
    }

    @Test func `takes back one that returns before it is gone`() throws {
        var pool = TestPool(concurrency: 2)
        let ticket = try pool.lease()
        pool.list(0)
        let waiter = try pool.waiter()
        let effects = pool.list(1)
        #expect(pool.ids == [ticket.replica])
        #expect(effects.transitions.map(\.to) == [.ready])
        #expect(effects.granted == [waiter])
    }

    @Test func `never uses an id again`() {
        var pool = TestPool()
        let first = pool.ids[0]
        pool.list(0)
        pool.list(1)
        #expect(pool.ids[0] != first)
    }

    @Test func `takes the first of a repeated endpoint`() {
        var pool = TestPool(replicas: 0)
        let specs = [
            ReplicaSpec(endpoint: "a", weight: 2), ReplicaSpec(endpoint: "a", weight: 3),
        ]
        _ = pool.state.setReplicas(specs, now: pool.now)
        #expect(pool.state.snapshot().replicas.map(\.weight) == [2])
    }

    @Test func `takes over a changed weight and limit`() throws {
        var pool = TestPool()
        let spec = ReplicaSpec(endpoint: TestPool.endpoint(0), weight: 3, concurrency: 7)
        _ = pool.state.setReplicas([spec], now: pool.now)
        let replica = try pool.replica(pool.ids[0])
        #expect(replica.weight == 3 && replica.limitNow == 7)
    }

    @Test func `finds replicas by endpoint`() {
        let pool = TestPool(replicas: 2)
        let id = pool.state.replica(at: TestPool.endpoint(1))
        #expect(id == pool.ids[1])
        #expect(id.flatMap { pool.state.endpoint(of: $0) } == TestPool.endpoint(1))
    }
}

@Suite struct `Draining by an operator` {
    @Test func `takes nothing new and stays listed`() throws {
        var pool = TestPool()
        let effects = pool.state.setDraining(pool.ids[0], true, now: pool.now)
        #expect(effects.transitions.map(\.why) == [.drained])
        #expect(effects.closeIdle == pool.ids && effects.removed.isEmpty)
        #expect(pool.arrive().waiter != nil)
    }

    @Test func `holds over the next listing`() throws {
        var pool = TestPool()
        _ = pool.state.setDraining(pool.ids[0], true, now: pool.now)
        pool.list(2)
        #expect(try pool.stateOf(pool.ids[0]) == .draining)
    }

    @Test func `ends with undrain, and waiters are served`() throws {
        var pool = TestPool()
        let id = pool.ids[0]
        _ = pool.state.setDraining(id, true, now: pool.now)
        let waiter = try pool.waiter()
        let effects = pool.state.setDraining(id, false, now: pool.now)
        #expect(effects.granted == [waiter])
        #expect(try pool.stateOf(id) == .ready)
    }

    @Test func `goes on probing, so that undrain knows the truth`() throws {
        var pool = TestPool()
        let id = pool.ids[0]
        _ = pool.state.setDraining(id, true, now: pool.now)
        #expect(pool.state.nextProbe(of: id) != nil)
        pool.probe(id, .refused)
        #expect(try pool.stateOf(id) == .draining)
        let effects = pool.state.setDraining(id, false, now: pool.now)
        #expect(effects.transitions.map(\.to) == [.down])
    }

    @Test func `knows nothing of a replica that is gone`() {
        var pool = TestPool()
        let effects = pool.state.setDraining(ReplicaID(raw: 77), true, now: pool.now)
        #expect(effects.isEmpty)
    }
}

@Suite struct `Going down and coming back` {
    @Test func `takes a refused connection for down, probed at once`() throws {
        var pool = TestPool(replicas: 2)
        let ticket = try pool.lease()
        pool.wait(.seconds(1))
        let effects = pool.end(ticket, .failure(.connectRefused))
        #expect(effects.transitions.map(\.to) == [.down])
        #expect(effects.probeSoon == [ticket.replica])
        #expect(effects.closeIdle == [ticket.replica])
        #expect(pool.state.nextProbe(of: ticket.replica) == pool.now)
    }

    @Test func `takes even the last one down`() throws {
        var pool = TestPool()
        pool.end(try pool.lease(), .failure(.connectRefused))
        #expect(pool.arrive().waiter != nil)
    }

    @Test func `comes back after rise passes and serves those who wait`() throws {
        var pool = TestPool()
        let id = pool.ids[0]
        pool.probe(id, .refused)
        let waiter = try pool.waiter()
        #expect(pool.probe(id).grants.isEmpty)
        #expect(pool.probe(id).granted == [waiter])
        #expect(try pool.stateOf(id) == .ready)
    }

    @Test func `goes down after fall failed probes`() throws {
        var pool = TestPool()
        let id = pool.ids[0]
        pool.probe(id, .failed(status: 500))
        pool.probe(id, .timedOut)
        #expect(try pool.stateOf(id) == .ready)
        let effects = pool.probe(id, .failed(status: nil))
        #expect(effects.transitions.map(\.why) == [.probeFailed])
    }

    @Test func `sets an ejection aside that has become pointless`() throws {
        var pool = TestPool(replicas: 2)
        let id = pool.ids[0]
        try pool.fail(id, 5)
        pool.probe(id, .refused)
        for _ in 0..<2 { pool.probe(id) }
        #expect(try pool.stateOf(id) == .ready)
    }

    @Test func `forgets the latencies of what was there before`() throws {
        var pool = TestPool()
        let id = pool.ids[0]
        try pool.serve(1, each: .seconds(1))
        #expect(try pool.replica(id).latency != nil)
        pool.probe(id, .refused)
        #expect(try pool.replica(id).latency == nil)
    }

    @Test func `looks soon at one that was down and yet delivers`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        pool.probe(ticket.replica, .refused)
        pool.wait(.milliseconds(1))
        #expect(pool.end(ticket).probeSoon == [ticket.replica])
    }

    @Test func `ignores probes of replicas that are gone`() {
        var pool = TestPool()
        #expect(pool.probe(ReplicaID(raw: 9), .passed).isEmpty)
    }
}

@Suite struct `Busy is not down` {
    @Test func `degrades a replica that works, and goes on using it`() throws {
        var pool = TestPool(concurrency: 2)
        let id = try pool.lease().replica
        pool.wait(.seconds(5))
        for _ in 0..<10 { pool.probe(id, .timedOut) }
        #expect(try pool.stateOf(id) == .degraded)
        #expect(pool.arrive().ticket != nil)
    }

    @Test func `recovers with the next probe that passes`() throws {
        var pool = TestPool()
        let id = try pool.lease().replica
        pool.probe(id, .timedOut)
        #expect(pool.probe(id).transitions.map(\.to) == [.ready])
    }

    @Test func `ends when there was no progress for ten seconds`() throws {
        var pool = TestPool()
        let id = try pool.lease().replica
        pool.wait(.seconds(11))
        for _ in 0..<3 { pool.probe(id, .timedOut) }
        #expect(try pool.stateOf(id) == .down)
    }

    @Test func `goes on while bytes come`() throws {
        var pool = TestPool()
        let id = try pool.lease().replica
        for _ in 0..<10 {
            pool.wait(.seconds(8))
            pool.state.progressed(id, now: pool.now)
            pool.probe(id, .timedOut)
        }
        #expect(try pool.stateOf(id) == .degraded)
    }

    @Test func `does not excuse a wrong answer`() throws {
        var pool = TestPool()
        let id = try pool.lease().replica
        for _ in 0..<3 { pool.probe(id, .failed(status: 500)) }
        #expect(try pool.stateOf(id) == .down)
    }

    @Test func `does not excuse one that never passed`() throws {
        var pool = TestPool(replicas: 0)
        pool.list(1)
        for _ in 0..<3 { pool.probe(pool.ids[0], .timedOut) }
        #expect(try pool.stateOf(pool.ids[0]) == .down)
    }
}

@Suite struct `Full replicas` {
    @Test func `are held back for the time they ask for`() throws {
        var pool = TestPool()
        let effects = pool.end(try pool.lease(), .full(retryAfter: .seconds(3)))
        #expect(effects.transitions.map(\.why) == [.full])
        let waiter = try pool.waiter()
        #expect(pool.advance(.milliseconds(2999)).grants.isEmpty)
        #expect(pool.state.nextEvent == start + .seconds(3))
        #expect(pool.advance(.milliseconds(1)).granted == [waiter])
    }

    @Test func `take work again on time even if the timer is late`() throws {
        var pool = TestPool()
        pool.end(try pool.lease(), .full(retryAfter: .seconds(3)))
        pool.wait(.seconds(3))
        #expect(pool.arrive().ticket != nil)
    }

    @Test func `are held back a second when they do not say`() throws {
        var pool = TestPool()
        pool.end(try pool.lease(), .full(retryAfter: nil))
        #expect(pool.state.nextEvent == start + .seconds(1))
    }

    @Test func `are not held back for more than a minute`() throws {
        var pool = TestPool()
        pool.end(try pool.lease(), .full(retryAfter: .seconds(86_400)))
        #expect(pool.state.nextEvent == start + .seconds(60))
    }

    @Test func `are passed over by newcomers`() throws {
        var pool = TestPool(replicas: 2)
        let full = try pool.lease()
        pool.end(full, .full(retryAfter: .seconds(3)))
        #expect(try pool.lease().replica != full.replica)
    }
}

@Suite struct `Slow start in a pool` {
    @Test func `is skipped when every replica is new`() throws {
        let pool = TestPool(replicas: 3, concurrency: 8)
        #expect(pool.state.snapshot().capacity == 24)
    }

    @Test func `ramps a replica that joins`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        pool.list(2)
        pool.probe(pool.ids[1])
        #expect(try pool.replica(pool.ids[1]).limitNow == 1)
        _ = pool.advance(.seconds(10))
        #expect(try pool.replica(pool.ids[1]).limitNow == 2)
    }

    @Test func `grants each new slot on time`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        for _ in 0..<4 { _ = try pool.lease() }
        let waiters = try (0..<4).map { _ in try pool.waiter() }
        pool.list(2)
        #expect(pool.probe(pool.ids[1]).granted == [waiters[0]])
        let granted = pool.pass(.seconds(29)).map(\.granted).filter { !$0.isEmpty }
        #expect(granted == [[waiters[1]], [waiters[2]]])
    }

    @Test func `is over on time also when something else happens meanwhile`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        pool.list(2)
        pool.probe(pool.ids[1])
        pool.end(try pool.lease(excluding: [pool.ids[1]]), .full(retryAfter: .seconds(5)))
        let causes = pool.pass(.seconds(30)).flatMap(\.transitions).map(\.why)
        #expect(causes == [.holdEnded, .slowStartOver])
    }

    @Test func `is skipped when all that are not new are leaving`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        _ = try pool.lease()
        pool.list(1, from: 1)
        pool.probe(pool.ids[1])
        #expect(try pool.replica(pool.ids[1]).limitNow == 4)
    }

    @Test func `leaves a limit of one alone`() throws {
        var pool = TestPool()
        pool.wait(.seconds(60))
        pool.list(2)
        #expect(pool.probe(pool.ids[1]).transitions.map(\.to) == [.ready])
    }

    @Test func `is skipped by the only one that comes back`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        pool.probe(pool.ids[0], .refused)
        pool.probe(pool.ids[0])
        pool.probe(pool.ids[0])
        #expect(try pool.replica(pool.ids[0]).limitNow == 4)
    }

    @Test func `gives a grown slot to those who wait, not to a newcomer`() throws {
        var pool = TestPool(concurrency: 4)
        pool.wait(.seconds(60))
        pool.list(2)
        pool.probe(pool.ids[1])
        for _ in 0..<5 { _ = try pool.lease() }
        let waiter = try pool.waiter()
        pool.wait(.seconds(10))
        #expect(pool.arrive().waiter != nil)
        #expect(pool.advance().granted == [waiter])
    }
}
