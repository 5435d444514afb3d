// Statuses made by hand, for the tests of the admin address's pages.

import Transport

@testable import Balancing
@testable import Gateway

extension GatewayStatus {
    /// The instant at which all samples were read.
    static let sampleTime = Moment(nanoseconds: 60_000_000_000)

    /// A running gateway with these pools.
    static func sample(_ pools: [PoolStatus] = []) -> GatewayStatus {
        GatewayStatus(
            phase: "running",
            generation: 1,
            now: sampleTime,
            wallNanoseconds: 1_800_000_000_000_000_000,
            uptime: .seconds(90),
            listeners: ["127.0.0.1:8080"],
            admin: "127.0.0.1:9900",
            connections: Connections(open: 3, limit: 100, admin: 1),
            lastReload: nil,
            dropped: DroppedLines(),
            pools: pools
        )
    }
}

extension PoolStatus {
    /// A pool that serves nothing, with these replicas.
    static func sample(_ name: String = "sales", _ replicas: [ReplicaSnapshot] = []) -> PoolStatus {
        PoolStatus(
            name: name,
            gauges: PoolSnapshot(
                replicas: replicas,
                waiters: 0,
                oldestWaiterSince: nil,
                queueLimit: 64,
                queueBytes: 0,
                capacity: replicas.reduce(0) { $0 + $1.limitNow },
                inFlight: replicas.reduce(0) { $0 + $1.inFlight },
                outstanding: replicas.reduce(0) { $0 + $1.inFlight },
                saturation: 0,
                completionRate: nil,
                isPanicking: false,
                isStopping: false
            ),
            desired: 1,
            ended: 0
        )
    }
}

extension ReplicaSnapshot {
    /// A replica that has been in its state for two seconds.
    static func sample(
        _ endpoint: String = "10.0.0.1:5000",
        _ state: ReplicaState = .ready,
        why: TransitionCause = .probePassed
    ) -> ReplicaSnapshot {
        ReplicaSnapshot(
            id: ReplicaID(raw: 0),
            endpoint: endpoint,
            state: state,
            why: why,
            since: GatewayStatus.sampleTime + .seconds(-2),
            inFlight: 0,
            concurrencyLimit: 4,
            limitNow: state == .down ? 0 : 4,
            weight: 1,
            load: 0,
            latency: nil,
            consecutiveFailures: 0,
            ejections: 0,
            ejectedUntil: nil,
            heldUntil: nil,
            lastProbe: nil,
            lastProbeAt: nil,
            isListed: true,
            isDrainedByOperator: false
        )
    }
}
