import Testing

@testable import Balancing

@Suite struct `Pool snapshot` {
    @Test func `is all zero for a pool without replicas`() {
        let snapshot = TestPool(replicas: 0).state.snapshot()
        #expect(snapshot.replicas.isEmpty)
        #expect(snapshot.outstanding == 0 && snapshot.capacity == 0 && snapshot.saturation == 0)
        #expect(snapshot.queueLimit == 64)
    }

    @Test func `counts in flight and waiting as outstanding`() throws {
        var pool = TestPool(replicas: 2)
        for _ in 0..<2 { _ = try pool.lease() }
        for _ in 0..<3 { _ = try pool.waiter() }
        let snapshot = pool.state.snapshot()
        #expect(snapshot.inFlight == 2 && snapshot.waiters == 3 && snapshot.outstanding == 5)
    }

    @Test func `tells the share of the capacity in use`() throws {
        var pool = TestPool(replicas: 2, concurrency: 2)
        _ = try pool.lease()
        #expect(pool.state.snapshot().saturation == 0.25)
    }

    @Test func `is saturated when there is work and no capacity`() throws {
        var pool = TestPool(replicas: 0)
        _ = try pool.waiter()
        #expect(pool.state.snapshot().saturation == 1)
    }

    @Test func `tells since when the oldest has waited`() throws {
        var pool = TestPool()
        _ = try pool.lease()
        pool.wait(.seconds(1))
        _ = try pool.waiter(priority: -5)
        pool.wait(.seconds(1))
        _ = try pool.waiter()
        #expect(pool.state.snapshot().oldestWaiterSince == start + .seconds(1))
    }

    @Test func `tells the completion rate at full use`() throws {
        var pool = TestPool(replicas: 3)
        try pool.serve(50, each: .milliseconds(500))
        let rate = try #require(pool.state.snapshot().completionRate)
        #expect(abs(rate - 6) < 0.01)
    }

    @Test func `tells of each replica its state, and why`() throws {
        var pool = TestPool(replicas: 2, concurrency: 2)
        _ = try pool.lease(excluding: [pool.ids[1]])
        pool.wait(.seconds(2))
        pool.probe(pool.ids[1], .refused)
        let replicas = pool.state.snapshot().replicas
        #expect(replicas.map(\.state) == [.ready, .down])
        #expect(replicas.map(\.why) == [.probePassed, .connectRefused])
        #expect(replicas.map(\.since) == [start, start + .seconds(2)])
        #expect(replicas.map(\.load) == [0.5, 0])
        #expect(replicas.map(\.limitNow) == [2, 0])
        #expect(replicas.map(\.lastProbe) == [.passed, .refused])
    }
}
