import Testing
import Transport

@testable import Balancing
@testable import Gateway
@testable import sluice

@Suite struct `Status values` {
    @Test func `are what the gateway writes`() throws {
        let status = try decode(Status.self, report().json())
        #expect(status.version == sluiceVersion && status.phase == "running")
        #expect(status.connections == Status.Connections(open: 3, limit: 100))
        let pool = try #require(status.pools.first)
        #expect(pool.name == "sales" && pool.ended == 42 && pool.queue.waiters == 2)
        #expect(pool.queue.oldestSeconds == 1.5)
        let replica = try #require(pool.replicas.first)
        #expect(replica.endpoint == "10.0.0.1:5000" && replica.state == "ready")
        #expect(replica.latencySeconds == 0.25)
    }

    /// A gateway with one pool of one replica.
    private func report() -> GatewayStatus {
        let now = Moment(nanoseconds: 5_000_000_000)
        let replica = ReplicaSnapshot(
            id: ReplicaID(raw: 0),
            endpoint: "10.0.0.1:5000",
            state: .ready,
            why: .probePassed,
            since: now,
            inFlight: 1,
            concurrencyLimit: 4,
            limitNow: 4,
            weight: 1,
            load: 0.25,
            latency: .milliseconds(250),
            consecutiveFailures: 0,
            ejections: 0,
            ejectedUntil: nil,
            heldUntil: nil,
            lastProbe: nil,
            lastProbeAt: nil,
            isListed: true,
            isDrainedByOperator: false
        )
        let gauges = PoolSnapshot(
            replicas: [replica],
            waiters: 2,
            oldestWaiterSince: now + .milliseconds(-1500),
            queueLimit: 64,
            queueBytes: 0,
            capacity: 4,
            inFlight: 1,
            outstanding: 3,
            saturation: 0.25,
            completionRate: nil,
            isPanicking: false,
            isStopping: false
        )
        return GatewayStatus(
            phase: "running",
            generation: 1,
            now: now,
            wallNanoseconds: 0,
            uptime: .seconds(90),
            listeners: [],
            admin: "",
            connections: .init(open: 3, limit: 100, admin: 0),
            lastReload: nil,
            dropped: .init(),
            pools: [PoolStatus(name: "sales", gauges: gauges, desired: 1, ended: 42)]
        )
    }
}
