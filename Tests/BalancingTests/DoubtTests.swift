import Testing

@testable import Balancing

@Suite struct `A doubt` {
    private func at(_ seconds: Double) -> Moment { start + .seconds(seconds) }

    @Test func `counts each silence once`() {
        var doubt = Doubt()
        let counted = [(0.0, 1.0), (0.5, 1.5), (1, 2), (2.5, 3)].map {
            doubt.gaveUp(quietSince: at($0.0), now: at($0.1))
        }
        #expect(counted == [true, false, false, true])
    }

    @Test func `ends with a sign of life, at the next look`() {
        var doubt = Doubt()
        let heard = (doubt.heard(), doubt.settle())
        #expect(heard == (false, false))
        doubt.begin(now: at(0))
        #expect(doubt.isDoubted && !doubt.isTrusted)
        #expect(doubt.heard() == true)
        #expect(doubt.isTrusted && !doubt.isDoubted)
        #expect(doubt.settle() == true)
        #expect(doubt.settle() == false)
    }

    @Test func `lasts a second although connections come about, then twice as long each time`() {
        var doubt = Doubt()
        var now = 0.0
        for wait in [1.0, 2, 4, 8, 16, 32, 60, 60] {
            doubt.begin(now: at(now))
            #expect(doubt.connected(now: at(now + wait - 0.01)) == false)
            #expect(doubt.connected(now: at(now + wait)) == true)
            #expect(doubt.isOnApproval && !doubt.isTrusted)
            now = now + wait + 1
        }
        #expect(doubt.heard() == true)
        doubt.begin(now: at(now))
        #expect(doubt.connected(now: at(now + 1)) == true)
    }

    @Test func `is not begun anew while it lasts`() {
        var doubt = Doubt()
        doubt.begin(now: at(0))
        doubt.begin(now: at(0.9))
        #expect(doubt.connected(now: at(1)) == true)
    }
}

@Suite struct `A silent replica` {
    private var pool = TestPool(replicas: 4, concurrency: 4)

    /// Gives up an attempt on a replica that was silent for a tenth of a second.
    private static func giveUp(
        _ pool: inout TestPool,
        on id: ReplicaID,
        avoiding tried: [ReplicaID] = [],
        after silence: Duration = .milliseconds(100)
    ) -> (isGranted: Bool, effects: PoolEffects) {
        let since = pool.now
        pool.wait(silence)
        return pool.state.giveUp(on: id, quietSince: since, avoiding: tried, now: pool.now)
    }

    /// Leases a slot of this very replica.
    private static func lease(_ pool: inout TestPool, of id: ReplicaID) throws -> LeaseTicket {
        let others = pool.ids.filter { $0 != id }
        let ticket = try pool.lease(excluding: others)
        try #require(ticket.replica == id)
        return ticket
    }

    /// The replicas that the next requests are given to.
    private static func picks(_ pool: inout TestPool, _ count: Int = 12) -> Set<ReplicaID> {
        var tickets: [LeaseTicket] = []
        for _ in 0..<count { pool.arrive().ticket.map { tickets.append($0) } }
        for ticket in tickets { pool.end(ticket, .abandoned) }
        return Set(tickets.map(\.replica))
    }

    @Test mutating func `is passed over and probed at once`() throws {
        let id = pool.ids[0]
        let ticket = try Self.lease(&pool, of: id)
        let (isGranted, effects) = Self.giveUp(&pool, on: id)
        #expect(isGranted)
        #expect(effects.probeSoon == [id])
        #expect(effects.transitions.map(\.to) == [.degraded])
        #expect(effects.transitions.map(\.why) == [.silent])
        pool.end(ticket, .failure(.silent))
        #expect(Self.picks(&pool) == Set(pool.ids.dropFirst()))
        #expect(try pool.replica(id).limitNow == 0)
        #expect(pool.state.snapshot().capacity == 12)
    }

    @Test mutating func `is asked again when it answers a probe`() {
        let id = pool.ids[0]
        _ = Self.giveUp(&pool, on: id)
        let effects = pool.probe(id)
        #expect(effects.transitions.map(\.to) == [.ready])
        #expect(Self.picks(&pool).contains(id) == true)
    }

    @Test mutating func `is asked again when a byte comes from it`() throws {
        let id = pool.ids[0]
        let ticket = try Self.lease(&pool, of: id)
        _ = Self.giveUp(&pool, on: id)
        pool.state.progressed(id, now: pool.now)
        #expect(pool.advance().transitions.map(\.why) == [.heardAgain])
        #expect(Self.picks(&pool).contains(id) == true)
        pool.end(ticket)
    }

    @Test mutating func `is asked again when one of its answers comes`() throws {
        let id = pool.ids[0]
        let ticket = try Self.lease(&pool, of: id)
        _ = Self.giveUp(&pool, on: id)
        pool.end(ticket)
        #expect(Self.picks(&pool).contains(id) == true)
    }

    @Test mutating func `is probed every half second while in doubt`() throws {
        let id = pool.ids[0]
        _ = Self.giveUp(&pool, on: id)
        pool.probe(id, .connected)
        let next = try #require(pool.state.nextProbe(of: id))
        #expect(next - pool.now < .milliseconds(600))
    }

    @Test mutating func `tries one request when all it does is take connections`() throws {
        let id = pool.ids[0]
        _ = Self.giveUp(&pool, on: id)
        pool.probe(id, .connected)
        #expect(Self.picks(&pool).contains(id) == false)
        pool.wait(.seconds(1))
        #expect(pool.probe(id, .connected).transitions.map(\.why) == [.approval])
        #expect(try pool.replica(id).limitNow == 1)
        // Silent again: in doubt again, for two seconds.
        let ticket = try Self.lease(&pool, of: id)
        #expect(Self.giveUp(&pool, on: id).isGranted == true)
        pool.end(ticket, .failure(.silent))
        pool.wait(.milliseconds(1_900))
        pool.probe(id, .connected)
        #expect(try pool.replica(id).limitNow == 0)
        pool.wait(.milliseconds(100))
        pool.probe(id, .connected)
        pool.end(try Self.lease(&pool, of: id))
        #expect(try pool.replica(id).limitNow == 4)
        #expect(try pool.stateOf(id) == .ready)
    }

    @Test mutating func `is left only for another with room that was not tried`() throws {
        let ids = pool.ids
        #expect(Self.giveUp(&pool, on: ids[0], avoiding: Array(ids.dropFirst())).isGranted == false)
        #expect(try pool.stateOf(ids[0]) == .ready)
        for _ in 0..<16 { _ = try pool.lease() }
        #expect(Self.giveUp(&pool, on: ids[0]).isGranted == false)
    }

    @Test func `is not left by a pool of one`() {
        var pool = TestPool(replicas: 1, concurrency: 4)
        #expect(Self.giveUp(&pool, on: pool.ids[0]).isGranted == false)
    }

    @Test func `is left only while the retry budget pays`() {
        var pool = TestPool(replicas: 4) { $0.retry = RetryOptions(budgetRatio: 0, perSecond: 0.2) }
        let granted = (0..<4).map { _ in Self.giveUp(&pool, on: pool.ids[0]).isGranted }
        #expect(granted == [true, true, false, false])
    }

    @Test mutating func `counts one failure for a silence, however many were caught in it`() throws
    {
        let id = pool.ids[0]
        let since = pool.now
        let tickets = try (0..<4).map { _ in try Self.lease(&pool, of: id) }
        for ticket in tickets {
            pool.wait(.milliseconds(30))
            let answer = pool.state.giveUp(on: id, quietSince: since, avoiding: [], now: pool.now)
            #expect(answer.isGranted)
            pool.end(ticket, .failure(.silent))
        }
        #expect(try pool.replica(id).consecutiveFailures == 1)
    }

    @Test mutating func `is ejected when only its probes are answered`() throws {
        let id = pool.ids[0]
        for round in 1...5 {
            #expect(try pool.stateOf(id) == .ready)
            let ticket = try Self.lease(&pool, of: id)
            let (isGranted, effects) = Self.giveUp(&pool, on: id)
            #expect(isGranted)
            pool.end(ticket, .failure(.silent))
            if round == 5 { #expect(effects.transitions.map(\.why) == [.outlier]) }
            pool.probe(id)
            pool.wait(.milliseconds(1))
        }
        #expect(try pool.stateOf(id) == .ejected)
    }

    @Test mutating func `fails its trial by another silence`() throws {
        let id = pool.ids[0]
        try pool.fail(id, 5)
        _ = pool.advance(.seconds(10))
        let trial = try Self.lease(&pool, of: id)
        #expect(Self.giveUp(&pool, on: id).isGranted == true)
        #expect(pool.end(trial, .failure(.silent)).transitions.map(\.why) == [.trialFailed])
    }

    @Test mutating func `is one of at most half of a pool that are passed over`() {
        let ids = pool.ids
        for id in ids.prefix(3) { _ = Self.giveUp(&pool, on: id) }
        #expect(Self.picks(&pool) == Set(ids.dropFirst(2)))
    }

    @Test func `works all the same when nobody else does`() {
        var pool = TestPool(replicas: 2, concurrency: 4)
        let ids = pool.ids
        _ = Self.giveUp(&pool, on: ids[0])
        #expect(Self.picks(&pool, 4) == [ids[1]])
        pool.probe(ids[1], .refused)
        #expect(Self.picks(&pool, 4) == [ids[0]])
    }

    @Test mutating func `is as before when it was down and has come up`() throws {
        let id = pool.ids[0]
        _ = Self.giveUp(&pool, on: id)
        pool.wait(.seconds(20))
        for _ in 0..<3 { pool.probe(id, .timedOut) }
        #expect(try pool.stateOf(id) == .down)
        for _ in 0..<2 { pool.probe(id) }
        #expect(Self.picks(&pool).contains(id) == true)
    }

    @Test func `is judged by what the pool's answers took to begin`() throws {
        var pool = TestPool(replicas: 2)
        #expect(pool.state.patienceNanoseconds == nil)
        for _ in 0..<200 {
            let ticket = try pool.lease()
            pool.wait(.seconds(30))
            _ = pool.state.end(ticket, .success, firstByte: .milliseconds(50), now: pool.now)
        }
        let limit = try #require(pool.state.patienceNanoseconds)
        #expect((150_000_000...190_000_000).contains(limit))
    }

    @Test func `is not judged by failures and answers that never began`() throws {
        var pool = TestPool(replicas: 2)
        for verdict in [Verdict.abandoned, .failure(.badStatus(503)), .success] {
            for _ in 0..<200 {
                let ticket = try pool.lease()
                let took = verdict == .success ? Duration.zero : .milliseconds(5)
                _ = pool.state.end(ticket, verdict, firstByte: took, now: pool.now)
                _ = pool.advance(.seconds(100))
            }
        }
        #expect(pool.state.patienceNanoseconds == nil)
    }
}
