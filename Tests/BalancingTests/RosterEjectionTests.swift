import Testing

@testable import Balancing

@Suite struct `Ejection from a pool` {
    @Test func `happens at five failures in a row`() throws {
        var pool = TestPool(replicas: 2)
        let id = pool.ids[0]
        try pool.fail(id, 4)
        #expect(try pool.stateOf(id) == .ready)
        let effects = try pool.fail(id, 1)
        #expect(effects.transitions.map(\.why) == [.outlier])
        #expect(pool.state.nextEvent == start + .seconds(10))
    }

    @Test(
        arguments: [
            FailureKind.reset, .timeout, .badStatus(502), .badStatus(503), .badStatus(504),
            .invalid, .stalled, .connectTimeout,
        ]
    )
    func `counts every failure that blames the replica`(kind: FailureKind) throws {
        var pool = TestPool(replicas: 2)
        try pool.fail(pool.ids[0], 5, kind)
        #expect(try pool.stateOf(pool.ids[0]) == .ejected)
    }

    @Test(arguments: [Verdict.success, .abandoned, .full(retryAfter: .milliseconds(1))])
    func `never follows from what is no failure`(verdict: Verdict) throws {
        var pool = TestPool(replicas: 2)
        for _ in 0..<10 {
            pool.end(try pool.lease(excluding: [pool.ids[1]]), verdict)
            pool.wait(.milliseconds(2))
        }
        #expect(pool.state.snapshot().replicas.allSatisfy { $0.ejections == 0 })
    }

    @Test func `takes no new work while it lasts`() throws {
        var pool = TestPool(replicas: 2)
        try pool.fail(pool.ids[0], 5)
        for _ in 0..<10 {
            let ticket = try pool.lease()
            #expect(ticket.replica == pool.ids[1])
            pool.end(ticket)
        }
    }

    @Test func `never takes the only replica`() throws {
        var pool = TestPool()
        try pool.fail(pool.ids[0], 50)
        #expect(try pool.stateOf(pool.ids[0]) == .ready)
    }

    @Test func `takes half of the pool at most`() throws {
        var pool = TestPool(replicas: 5)
        for id in pool.ids {
            for _ in 0..<7 {
                let others = pool.ids.filter { $0 != id }
                guard let ticket = pool.arrive(excluding: others).ticket else { continue }
                pool.end(ticket, .failure(.reset))
            }
        }
        #expect(pool.state.snapshot().replicas.filter { $0.state == .ejected }.count == 2)
    }

    @Test func `never takes the last one that connects`() throws {
        var pool = TestPool(replicas: 4)
        for id in pool.ids.dropFirst() { pool.probe(id, .refused) }
        try pool.fail(pool.ids[0], 20)
        #expect(try pool.stateOf(pool.ids[0]) == .ready)
    }

    @Test func `is ignored when nobody else connects any more`() throws {
        var pool = TestPool(replicas: 2)
        try pool.fail(pool.ids[0], 5)
        pool.probe(pool.ids[1], .refused)
        #expect(pool.state.snapshot().isPanicking)
        #expect(try pool.lease().replica == pool.ids[0])
    }

    @Test func `is ignored then even when panic is switched off`() throws {
        var pool = TestPool(replicas: 2) { $0.outliers.panicThreshold = 0 }
        try pool.fail(pool.ids[0], 5)
        pool.probe(pool.ids[1], .refused)
        #expect(pool.arrive().ticket != nil)
    }

    @Test func `ends early by a success while it is ignored`() throws {
        var pool = TestPool(replicas: 2)
        try pool.fail(pool.ids[0], 5)
        pool.probe(pool.ids[1], .refused)
        pool.wait(.seconds(1))
        let ticket = try pool.lease()
        #expect(pool.end(ticket).transitions.map(\.why) == [.trialPassed])
        #expect(try pool.stateOf(pool.ids[0]) == .ready)
    }

    @Test func `is not ended by a success from before`() throws {
        var pool = TestPool(replicas: 2, concurrency: 8)
        let old = try pool.lease(excluding: [pool.ids[1]])
        pool.wait(.seconds(1))
        try pool.fail(pool.ids[0], 5)
        pool.end(old)
        #expect(try pool.stateOf(pool.ids[0]) == .ejected)
    }
}

@Suite struct `Readmission` {
    /// Two replicas with four slots each, the first at the end of its ejection.
    private func onTrial() throws -> TestPool {
        var pool = TestPool(replicas: 2, concurrency: 4)
        try pool.fail(pool.ids[0], 5)
        let effects = pool.advance(.seconds(10))
        try #require(effects.transitions.map(\.why) == [.trial])
        return pool
    }

    @Test func `lets one request at a time try`() throws {
        var pool = try onTrial()
        let trial = try pool.lease(excluding: [pool.ids[1]])
        #expect(trial.isTrial && trial.replica == pool.ids[0])
        #expect(pool.arrive(excluding: [pool.ids[1]]).waiter != nil)
    }

    @Test func `follows from a trial that succeeds, with slow start`() throws {
        var pool = try onTrial()
        // The other has been up for long.
        pool.wait(.seconds(60))
        let trial = try pool.lease(excluding: [pool.ids[1]])
        let effects = pool.end(trial)
        #expect(effects.transitions.isEmpty)
        let replica = try pool.replica(pool.ids[0])
        #expect(replica.state == .warming && replica.limitNow == 1)
        #expect(pool.pass(.seconds(30)).flatMap(\.transitions).map(\.why) == [.slowStartOver])
        #expect(try pool.replica(pool.ids[0]).limitNow == 4)
    }

    @Test func `is tried once also while older requests end`() throws {
        var pool = TestPool(replicas: 2, concurrency: 4)
        let old = try (0..<2).map { _ in try pool.lease(excluding: [pool.ids[1]]) }
        try pool.fail(pool.ids[0], 5)
        _ = pool.advance(.seconds(10))
        _ = try pool.lease(excluding: [pool.ids[1]])
        for ticket in old { pool.end(ticket, .abandoned) }
        #expect(pool.arrive(excluding: [pool.ids[1]]).waiter != nil)
    }

    @Test func `takes no notice of how long older requests took`() throws {
        var pool = TestPool(replicas: 2, concurrency: 4)
        let old = try (0..<2).map { _ in try pool.lease(excluding: [pool.ids[1]]) }
        try pool.fail(pool.ids[0], 5)
        _ = pool.advance(.seconds(60))
        pool.end(old[0], .failure(.timeout))
        pool.end(old[1])
        #expect(try pool.replica(pool.ids[0]).latency == nil)
    }

    @Test(arguments: Policies.all)
    func `is tried soon under every policy`(policy: PolicyKind) throws {
        var pool = TestPool(replicas: 2, concurrency: 4) { $0.policy = policy }
        try pool.serve(8, each: .milliseconds(10))
        let slow = try pool.lease(excluding: [pool.ids[1]])
        pool.wait(.seconds(60))
        pool.end(slow, .failure(.timeout))
        try pool.fail(pool.ids[0], 4)
        _ = pool.advance(.seconds(10))
        var trials = 0
        for key in 0..<40 {
            let ticket = try #require(pool.arrive(affinity: UInt64(key)).ticket)
            trials += ticket.isTrial ? 1 : 0
            pool.wait(.milliseconds(10))
            pool.end(ticket)
        }
        #expect(trials == 1)
    }

    @Test func `is put off, for longer, by a trial that fails`() throws {
        var pool = try onTrial()
        let trial = try pool.lease(excluding: [pool.ids[1]])
        let effects = pool.end(trial, .failure(.timeout))
        #expect(effects.transitions.map(\.why) == [.trialFailed])
        #expect(try pool.replica(pool.ids[0]).ejectedUntil == pool.now + .seconds(20))
    }

    @Test func `tries again when the trial said nothing`() throws {
        var pool = try onTrial()
        pool.end(try pool.lease(excluding: [pool.ids[1]]), .abandoned)
        #expect(try pool.lease(excluding: [pool.ids[1]]).isTrial)
    }

    @Test func `grants the trial to one who waits`() throws {
        var pool = TestPool(replicas: 2)
        try pool.fail(pool.ids[0], 5)
        _ = try pool.lease()
        let waiter = try pool.waiter()
        _ = try pool.waiter()
        let effects = pool.advance(.seconds(10))
        #expect(effects.granted == [waiter])
        #expect(effects.grants.map(\.ticket.isTrial) == [true])
    }
}

@Suite struct `Stalled replicas` {
    @Test func `are ejected, even if probes pass`() throws {
        var pool = TestPool(replicas: 2, concurrency: 2) { $0.stall = .seconds(20) }
        let id = try pool.lease().replica
        pool.wait(.seconds(19))
        pool.probe(id)
        let effects = pool.pass(.seconds(1))
        #expect(effects.flatMap(\.transitions).map(\.why) == [.stalled])
    }

    @Test func `are not those that make progress`() throws {
        var pool = TestPool(replicas: 2) { $0.stall = .seconds(20) }
        let id = try pool.lease().replica
        for _ in 0..<10 {
            _ = pool.pass(.seconds(15))
            pool.state.progressed(id, now: pool.now)
        }
        #expect(try pool.stateOf(id) == .ready)
    }

    @Test func `are not those that finish other requests`() throws {
        var pool = TestPool(replicas: 2, concurrency: 2) { $0.stall = .seconds(20) }
        let stuck = try pool.lease(excluding: [pool.ids[1]])
        for _ in 0..<3 {
            let other = try pool.lease(excluding: [pool.ids[1]])
            _ = pool.pass(.seconds(15))
            pool.end(other)
        }
        #expect(try pool.stateOf(stuck.replica) == .ready)
    }

    @Test func `are found out when they come back up with old work`() throws {
        var pool = TestPool(replicas: 2) { $0.stall = .seconds(20) }
        let stuck = try pool.lease().replica
        pool.probe(stuck, .refused)
        _ = pool.pass(.seconds(60))
        for _ in 0..<2 { pool.probe(stuck) }
        #expect(pool.pass(.zero).flatMap(\.transitions).map(\.why) == [.stalled])
    }

    @Test func `are not those with nothing in flight`() throws {
        var pool = TestPool(replicas: 2) { $0.stall = .seconds(20) }
        try pool.serve(1, each: .seconds(1))
        #expect(pool.pass(.seconds(600)).allSatisfy { $0.isEmpty })
    }

    @Test func `stay when they are the last, and are looked at again`() throws {
        var pool = TestPool(replicas: 1) { $0.stall = .seconds(20) }
        _ = try pool.lease()
        #expect(pool.pass(.seconds(20)).allSatisfy { $0.isEmpty })
        pool.list(2)
        pool.probe(pool.ids[1])
        #expect(pool.pass(.seconds(20)).flatMap(\.transitions).map(\.why) == [.stalled])
    }

    @Test func `come to trial at the first sign of life`() throws {
        var pool = TestPool(replicas: 2, concurrency: 2) { $0.stall = .seconds(20) }
        let id = try pool.lease().replica
        _ = pool.pass(.seconds(21))
        pool.state.progressed(id, now: pool.now)
        #expect(pool.advance().transitions.map(\.why) == [.trial])
    }
}
