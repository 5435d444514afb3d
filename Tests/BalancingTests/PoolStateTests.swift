import Testing

@testable import Balancing

@Suite struct `Admission to a pool` {
    @Test func `leases at once when a replica has room`() throws {
        var pool = TestPool(replicas: 2)
        let first = try pool.lease()
        let second = try pool.lease()
        #expect(Set([first.replica, second.replica]) == Set(pool.ids))
    }

    @Test func `never leases more than the limit`() throws {
        var pool = TestPool(replicas: 2, concurrency: 3)
        for _ in 0..<6 { _ = try pool.lease() }
        #expect(pool.arrive().waiter != nil)
        #expect(pool.state.snapshot().replicas.map(\.inFlight) == [3, 3])
    }

    @Test func `binds a waiter only when a slot is free`() throws {
        var pool = TestPool(replicas: 2)
        let quick = try pool.lease()
        _ = try pool.lease()
        let waiter = try pool.waiter()
        let effects = pool.end(quick)
        #expect(effects.grants.map(\.waiter) == [waiter])
        #expect(effects.grants.map(\.ticket.replica) == [quick.replica])
    }

    @Test func `serves waiters in order of priority, then of arrival`() throws {
        var pool = TestPool()
        var ticket = try pool.lease()
        let low = try pool.waiter(priority: -1)
        let first = try pool.waiter()
        let high = try pool.waiter(priority: 5)
        let second = try pool.waiter()
        var served: [WaiterID] = []
        for _ in 0..<4 {
            let effects = pool.end(ticket)
            served += effects.granted
            ticket = try #require(effects.grants.first?.ticket)
        }
        #expect(served == [high, first, second, low])
    }

    @Test func `serves a further attempt before first ones`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        _ = try pool.waiter()
        let retry = try pool.waiter(isRetry: true)
        #expect(pool.end(ticket).granted == [retry])
    }

    @Test func `does not let a newcomer pass those who wait`() throws {
        var pool = TestPool(replicas: 2)
        _ = try pool.lease()
        _ = try pool.lease()
        let waiter = try pool.waiter()
        pool.list(3)
        _ = try #require(pool.ids.last)
        #expect(pool.arrive().waiter != nil)
        let effects = pool.probe(pool.ids[2])
        #expect(effects.granted == [waiter])
    }

    @Test func `sheds the newest when full`() throws {
        var pool = TestPool { $0.queue.limit = 2 }
        _ = try pool.lease()
        _ = try pool.waiter()
        _ = try pool.waiter()
        #expect(pool.arrive().shed?.reason == .queueFull)
        #expect(pool.state.snapshot().waiters == 2)
    }

    @Test func `sheds when the bytes held would be too many`() throws {
        var pool = TestPool { $0.queue.bytes = 100 }
        _ = try pool.lease()
        #expect(pool.arrive(bytes: 60).waiter != nil)
        #expect(pool.arrive(bytes: 41).shed?.reason == .queueFull)
        #expect(pool.arrive(bytes: 40).waiter != nil)
    }

    @Test func `has no queue when its limit is zero`() throws {
        var pool = TestPool { $0.queue.limit = 0 }
        _ = try pool.lease()
        #expect(pool.arrive().shed?.reason == .queueFull)
    }

    @Test func `refuses what has no time left, without advice`() {
        var pool = TestPool()
        #expect(pool.arrive(within: .zero).shed == Shed(.deadline))
    }

    @Test func `survives sizes beyond all bounds`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        #expect(pool.arrive(bytes: .max).shed?.reason == .queueFull)
    }
}

@Suite struct `Deadlines in a pool` {
    /// One replica that takes a second for each request, one of which is in flight.
    private func busyPool() throws -> TestPool {
        var pool = TestPool()
        try pool.serve(20, each: .seconds(1))
        _ = try pool.lease()
        return pool
    }

    @Test func `refuses on arrival what could not finish in time`() throws {
        var pool = try busyPool()
        for _ in 0..<4 { _ = try pool.waiter() }
        let shed = try #require(pool.arrive(within: .milliseconds(5500)).shed)
        #expect(shed.reason == .deadline)
        #expect(shed.retryAfter != nil)
    }

    @Test func `admits what can finish in time`() throws {
        var pool = try busyPool()
        for _ in 0..<4 { _ = try pool.waiter() }
        #expect(pool.arrive(within: .milliseconds(6500)).waiter != nil)
    }

    @Test func `counts only the work ahead of the priority`() throws {
        var pool = try busyPool()
        for _ in 0..<4 { _ = try pool.waiter() }
        #expect(pool.arrive(within: .milliseconds(2500), priority: 1).waiter != nil)
    }

    @Test func `admits while too little is known`() throws {
        var pool = TestPool()
        try pool.serve(3, each: .seconds(1))
        _ = try pool.lease()
        for _ in 0..<10 { _ = try pool.waiter() }
        #expect(pool.arrive(within: .milliseconds(1)).waiter != nil)
    }

    @Test func `does not take a quiet pool for a slow one`() throws {
        var pool = TestPool(replicas: 1, concurrency: 4)
        for _ in 0..<20 {
            try pool.serve(1, each: .milliseconds(100))
            pool.wait(.seconds(60))
        }
        for _ in 0..<4 { _ = try pool.lease() }
        for _ in 0..<10 { _ = try pool.waiter() }
        #expect(pool.arrive(within: .seconds(1)).waiter != nil)
    }

    @Test func `always admits to a free slot`() throws {
        var pool = TestPool()
        try pool.serve(20, each: .seconds(1))
        #expect(pool.arrive(within: .milliseconds(10)).ticket != nil)
    }

    @Test func `sheds a waiter at its deadline, without advice`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        let waiter = try #require(pool.arrive(within: .seconds(3)).waiter)
        #expect(pool.state.nextEvent == start + .seconds(3))
        let effects = pool.advance(.seconds(3))
        #expect(effects.sheds == [ShedWaiter(waiter: waiter, shed: Shed(.deadline))])
    }

    @Test func `never grants past the deadline, however late the timer is`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        _ = pool.arrive(within: .seconds(3))
        let patient = try pool.waiter()
        pool.wait(.seconds(3))
        let effects = pool.end(ticket)
        #expect(effects.sheds.map(\.shed) == [Shed(.deadline)])
        #expect(effects.granted == [patient])
    }

    @Test func `sheds after the longest wait, with advice`() throws {
        var pool = TestPool { $0.stall = .seconds(3600) }
        _ = try pool.lease()
        let waiter = try pool.waiter()
        #expect(pool.advance(.milliseconds(29_999)).sheds.isEmpty)
        let shed = try #require(pool.advance(.milliseconds(1)).sheds.first)
        #expect(shed.waiter == waiter && shed.shed.reason == .queueTimeout)
        #expect(shed.shed.retryAfter != nil)
    }
}

@Suite struct `Advice when to come back` {
    @Test func `is the time to do the work ahead, and up to a second`() throws {
        var pool = TestPool(replicas: 2) { $0.queue.limit = 10 }
        try pool.serve(20, each: .seconds(1))
        for _ in 0..<2 { _ = try pool.lease() }
        for _ in 0..<10 { _ = try pool.waiter() }
        let advice = try #require(pool.arrive().shed?.retryAfter)
        // Ten wait and one comes, two are done in a second: 5.5 s, rounded up.
        #expect(advice >= .seconds(6) && advice < .seconds(7))
    }

    @Test func `is never above half a minute`() throws {
        var pool = TestPool { $0.queue.limit = 100 }
        try pool.serve(20, each: .seconds(1))
        _ = try pool.lease()
        for _ in 0..<100 { _ = try pool.waiter() }
        #expect(pool.arrive().shed?.retryAfter == .seconds(30))
    }

    @Test func `is a second or two when nothing is known`() throws {
        var pool = TestPool { $0.queue.limit = 0 }
        _ = try pool.lease()
        let advice = try #require(pool.arrive().shed?.retryAfter)
        #expect(advice >= .seconds(1) && advice < .seconds(2))
    }

    @Test func `differs from caller to caller`() throws {
        var pool = TestPool { $0.queue.limit = 0 }
        _ = try pool.lease()
        let advice = (0..<20).compactMap { _ in pool.arrive().shed?.retryAfter }
        #expect(Set(advice).count == 20)
    }

    @Test func `replays from the seed`() throws {
        let advice = try (0..<2).map { _ in
            var pool = TestPool(seed: 99) { $0.queue.limit = 0 }
            _ = try pool.lease()
            return pool.arrive().shed?.retryAfter
        }
        #expect(advice[0] == advice[1])
    }
}

@Suite struct `Patience with a pool` {
    @Test func `waits for a pool without replicas, each as long as patience lasts`() throws {
        var pool = TestPool(replicas: 0)
        pool.wait(.seconds(3600))
        let first = try pool.waiter()
        pool.wait(.seconds(10))
        let second = try pool.waiter()
        #expect(pool.advance(.seconds(50)).sheds.map(\.waiter) == [first])
        let last = pool.advance(.seconds(10)).sheds
        #expect(last.map(\.waiter) == [second])
        #expect(last.map(\.shed.reason) == [.noReplicas])
    }

    @Test func `waits for new replicas until the first passes a probe`() throws {
        var pool = TestPool(replicas: 0)
        let waiter = try pool.waiter()
        #expect(pool.list(1).grants.isEmpty)
        #expect(pool.probe(pool.ids[0]).granted == [waiter])
    }

    @Test func `sheds all when every replica has been down as long as patience lasts`() throws {
        var pool = TestPool()
        pool.probe(pool.ids[0], .refused)
        let early = try pool.waiter()
        pool.wait(.seconds(59))
        let late = try pool.waiter()
        let sheds = pool.advance(.seconds(1)).sheds
        #expect(sheds.map(\.waiter) == [early, late])
        #expect(sheds.allSatisfy { $0.shed.reason == .noReplicas })
    }

    @Test func `refuses at once after that`() {
        var pool = TestPool()
        pool.probe(pool.ids[0], .refused)
        pool.wait(.seconds(60))
        #expect(pool.arrive().shed?.reason == .noReplicas)
    }

    @Test func `is new when a replica appears`() {
        var pool = TestPool()
        pool.probe(pool.ids[0], .refused)
        pool.wait(.seconds(60))
        pool.list(2)
        #expect(pool.arrive().waiter != nil)
    }

    @Test func `does not shed the patient at the moment help arrives`() throws {
        var pool = TestPool(replicas: 0)
        let first = try pool.waiter()
        let second = try pool.waiter()
        pool.wait(.seconds(50))
        pool.list(1)
        let effects = pool.probe(pool.ids[0])
        #expect(effects.granted == [first])
        #expect(pool.advance().sheds.isEmpty)
        #expect(pool.advance(.seconds(30)).sheds.map(\.waiter) == [second])
    }

    @Test func `ends with the deadline`() throws {
        var pool = TestPool(replicas: 0)
        _ = pool.arrive(within: .seconds(5))
        #expect(pool.advance(.seconds(5)).sheds.map(\.shed) == [Shed(.deadline)])
    }
}

@Suite struct `Leaving the queue` {
    @Test func `takes the place at once`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        let gone = try pool.waiter()
        let next = try pool.waiter()
        #expect(pool.state.withdraw(gone, now: pool.now) == true)
        #expect(pool.end(ticket).granted == [next])
    }

    @Test func `is too late after the grant`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        let waiter = try pool.waiter()
        pool.end(ticket)
        #expect(pool.state.withdraw(waiter, now: pool.now) == false)
    }

    @Test func `happens once`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        let waiter = try pool.waiter()
        _ = pool.state.withdraw(waiter, now: pool.now)
        #expect(pool.state.withdraw(waiter, now: pool.now) == false)
    }
}

@Suite struct `Further attempts` {
    @Test func `go elsewhere`() throws {
        var pool = TestPool(replicas: 3)
        for _ in 0..<20 {
            let ticket = try pool.lease(excluding: [pool.ids[0], pool.ids[2]])
            #expect(ticket.replica == pool.ids[1])
            pool.end(ticket)
        }
    }

    @Test func `wait for another rather than take the same again`() throws {
        var pool = TestPool(replicas: 2)
        _ = try pool.lease(excluding: [pool.ids[0]])
        #expect(pool.arrive(excluding: [pool.ids[0]]).waiter != nil)
    }

    @Test func `do not hold up those behind`() throws {
        var pool = TestPool(replicas: 2)
        let first = try pool.lease(excluding: [pool.ids[1]])
        _ = try pool.lease(excluding: [pool.ids[0]])
        _ = try #require(pool.arrive(excluding: [pool.ids[0]]).waiter)
        let behind = try pool.waiter()
        #expect(pool.end(first).granted == [behind])
    }

    @Test func `do not hold up newcomers`() throws {
        var pool = TestPool(replicas: 2)
        _ = try pool.lease(excluding: [pool.ids[0]])
        _ = try #require(pool.arrive(excluding: [pool.ids[0]]).waiter)
        #expect(try pool.lease().replica == pool.ids[0])
    }

    @Test func `keep their claim to a slot that has just come back`() throws {
        var pool = TestPool(replicas: 3)
        let tickets = try (0..<3).map { _ in try pool.lease() }
        let back = tickets[2].replica
        pool.end(tickets[2], .full(retryAfter: .seconds(1)))
        pool.end(tickets[1])
        let retry = try #require(pool.arrive(excluding: [tickets[1].replica]).waiter)
        pool.wait(.seconds(1))
        _ = pool.arrive(excluding: [tickets[1].replica])
        let effects = pool.advance()
        #expect(effects.granted == [retry])
        #expect(effects.grants.map(\.ticket.replica) == [back])
    }

    @Test func `use the same again when there is no other`() throws {
        var pool = TestPool(replicas: 2)
        pool.probe(pool.ids[1], .refused)
        #expect(try pool.lease(excluding: [pool.ids[0]]).replica == pool.ids[0])
    }

    @Test func `use any again when all were tried`() throws {
        var pool = TestPool(replicas: 2)
        #expect(pool.arrive(excluding: pool.ids).ticket != nil)
    }

    @Test func `are paid for by first attempts only`() {
        var pool = TestPool(concurrency: 100) { $0.retry.perSecond = 0 }
        for _ in 0..<10 { _ = pool.arrive(isRetry: true) }
        for _ in 0..<9 { _ = pool.arrive() }
        let paid = (0..<5).filter { _ in pool.state.withdrawFromRetryBudget(now: pool.now) }
        #expect(paid.count == 1)
    }
}

@Suite struct `Stopping a pool` {
    @Test func `sheds all who wait, in order`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        let waiters = try (0..<3).map { _ in try pool.waiter() }
        let effects = pool.state.stop(now: pool.now)
        #expect(effects.sheds.map(\.waiter) == waiters)
        #expect(effects.sheds.allSatisfy { $0.shed.reason == .stopping })
    }

    @Test func `sheds all who come later`() {
        var pool = TestPool()
        _ = pool.state.stop(now: pool.now)
        #expect(pool.arrive().shed?.reason == .stopping)
    }

    @Test func `lets leases end`() throws {
        var pool = TestPool()
        let ticket = try pool.lease()
        _ = pool.state.stop(now: pool.now)
        pool.end(ticket)
        #expect(pool.state.snapshot().outstanding == 0)
    }
}

@Suite struct `New settings for a pool` {
    private func configure(
        _ pool: inout TestPool,
        _ set: (inout PoolOptions) -> Void
    ) -> PoolEffects {
        var options = pool.state.options
        set(&options)
        return pool.state.configure(options, now: pool.now)
    }

    @Test func `grant at once what a higher limit makes room for`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        let waiters = try (0..<4).map { _ in try pool.waiter() }
        let effects = configure(&pool) { $0.concurrency = 4 }
        #expect(effects.granted == Array(waiters.prefix(3)))
    }

    @Test func `lower a limit by attrition`() throws {
        var pool = TestPool(concurrency: 3)
        let tickets = try (0..<3).map { _ in try pool.lease() }
        _ = configure(&pool) { $0.concurrency = 1 }
        let waiter = try pool.waiter()
        #expect(pool.end(tickets[0]).grants.isEmpty)
        #expect(pool.end(tickets[1]).grants.isEmpty)
        #expect(pool.end(tickets[2]).granted == [waiter])
    }

    @Test func `keep health and counts`() throws {
        var pool = TestPool(replicas: 2)
        pool.probe(pool.ids[1], .refused)
        _ = try pool.lease()
        let before = pool.state.snapshot().replicas.map { [$0.state.rawValue, "\($0.inFlight)"] }
        _ = configure(&pool) { $0.policy = .peakEWMA }
        let after = pool.state.snapshot().replicas.map { [$0.state.rawValue, "\($0.inFlight)"] }
        #expect(before == after)
    }

    @Test func `change the policy`() {
        var pool = TestPool(replicas: 4, concurrency: 100)
        _ = configure(&pool) { $0.policy = .consistentHash(boundedLoad: 100) }
        let homes = (0..<20).compactMap { _ in pool.arrive(affinity: 7).ticket?.replica }
        #expect(homes.count == 20 && Set(homes).count == 1)
    }

    @Test func `change the retry budget`() {
        var pool = TestPool()
        _ = configure(&pool) { $0.retry = RetryOptions(budgetRatio: 0, perSecond: 0) }
        #expect(pool.state.withdrawFromRetryBudget(now: pool.now) == false)
    }

    @Test func `never throw out those who wait already`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        for _ in 0..<5 { _ = try pool.waiter() }
        #expect(configure(&pool) { $0.queue.limit = 1 }.sheds.isEmpty)
        #expect(pool.arrive().shed?.reason == .queueFull)
    }

    @Test func `apply a shorter timeout to those who wait`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        _ = try pool.waiter()
        _ = configure(&pool) { $0.queue.timeout = .seconds(2) }
        #expect(pool.state.nextEvent == start + .seconds(2))
    }
}

@Suite struct `The next event of a pool` {
    @Test func `is none for an idle pool`() {
        #expect(TestPool().state.nextEvent == nil)
    }

    @Test func `is in the future once advanced`() throws {
        var pool = TestPool(replicas: 2, concurrency: 4)
        for _ in 0..<8 { _ = try pool.lease() }
        _ = pool.arrive(within: .seconds(2))
        while let next = pool.state.nextEvent, next < start + .seconds(1000) {
            #expect(next >= pool.now)
            pool.now = next
            _ = pool.state.advance(to: next)
            #expect(pool.state.nextEvent.map { $0 > next } ?? true)
        }
    }
}
