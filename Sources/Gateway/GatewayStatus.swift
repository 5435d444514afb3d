// The whole gateway at one instant, as plain values: what every page of the admin address shows.

internal import Balancing
internal import Configuration
internal import Kubernetes
internal import Telemetry
internal import Transport

/// What `/status`, `/pools` and the gauges of `/metrics` are written from.
struct GatewayStatus: Sendable {
    /// `running`, `announcing`, `draining`, `cutting` or `over`.
    var phase: String
    var generation: Int
    /// The instant everything was read at, and what the wall clock said then.
    var now: Moment
    var wallNanoseconds: Int64
    var uptime: Duration
    var listeners: [String]
    var admin: String
    var connections: Connections
    /// nil: nobody has asked for one.
    var lastReload: LastReload?
    var dropped: DroppedLines
    var pools: [PoolStatus]
    /// How the watches of Kubernetes' API fare; none where nothing is watched.
    var kubernetes: [KubernetesReports.Watch] = []
    /// The Ingresses; nil: none are served.
    var ingress: IngressReport?
    /// Failed requests to that API since the start.
    var kubernetesFailures: UInt64 = 0
    /// Of what is shown to clients in TLS.
    var expiries: [CertificateExpiry] = []

    /// Connections open now, and how many may be.
    struct Connections: Sendable {
        var open = 0
        var limit = 0
        var admin = 0
    }

    /// The last attempt to take over the file.
    struct LastReload: Sendable {
        var outcome: ReloadOutcome
        var wallNanoseconds: Int64
    }

    /// Lines that were lost because nobody took them in time.
    struct DroppedLines: Sendable {
        var accessLog: UInt64 = 0
        var output: UInt64 = 0
    }

    /// When something happened, on the wall clock.
    func wallTime(of instant: Moment) -> String {
        let parts = (now - instant).components
        let ago = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        return Timestamp(nanoseconds: UInt64(max(0, wallNanoseconds - ago))).text
    }

    /// How long ago something happened; the loops' clocks differ by a turn, so never below zero.
    func time(since instant: Moment) -> Duration { max(.zero, now - instant) }

    /// How long it is until something happens; nil when it is over.
    func time(until instant: Moment?) -> Duration? {
        guard let instant, instant > now else { return nil }
        return instant - now
    }
}

/// One pool at that instant.
struct PoolStatus: Sendable {
    var name: String
    var gauges: PoolSnapshot
    /// How many replicas the load asks for.
    var desired: Int
    /// Exchanges that have ended since the start.
    var ended: UInt64

    /// Replicas in a state.
    func count(_ state: ReplicaState) -> Int {
        gauges.replicas.count { $0.state == state }
    }
}

extension Gateway {
    /// Reads everything now; on any loop.
    func status(now: Instant, wallNanoseconds: Int64) -> GatewayStatus {
        let facts = facts
        let snapshot = snapshot
        let described = Dictionary(configuration.pools.map { ($0.name, $0) }) { first, _ in first }
        return GatewayStatus(
            phase: "\(phase)",
            generation: snapshot.generation,
            now: now.moment,
            wallNanoseconds: wallNanoseconds,
            uptime: facts.startedAt.map { max(.zero, now - $0) } ?? .zero,
            listeners: facts.bound?.listeners.map(\.description) ?? [],
            admin: facts.bound?.admin.description ?? "",
            connections: GatewayStatus.Connections(
                open: openConnections,
                limit: connectionLimit,
                admin: openAdminConnections
            ),
            lastReload: facts.lastReload,
            dropped: GatewayStatus.DroppedLines(
                accessLog: accessLog.dropped,
                output: droppedOutputLines
            ),
            pools: snapshot.pools.map { pool in
                let gauges = pool.snapshot()
                return PoolStatus(
                    name: pool.name,
                    gauges: gauges,
                    desired: desiredReplicas(
                        of: pool,
                        PoolFigures(pool.name, gauges),
                        described[pool.name]?.settings,
                        now: now
                    ),
                    ended: metrics.ended(pool: pool.name)
                )
            },
            kubernetes: kubernetes.watches,
            ingress: ingressReport,
            kubernetesFailures: kubernetes.failures,
            expiries: expiries
        )
    }

    /// How many replicas a pool should have: what was decided where the gateway scales it itself,
    /// else what the load of this instant asks for, of one gateway or of several.
    func desiredReplicas(
        of pool: Pool?,
        _ figures: PoolFigures,
        _ settings: Configuration.PoolSettings?,
        now: Instant
    ) -> Int {
        if let decided = pool?.desiredReplicas, decided >= 0 { return decided }
        let settings = settings ?? Configuration.PoolSettings()
        // 10,000 is the most that a pool may list.
        var decider = DesiredReplicas(
            target: settings.scaling.target,
            concurrency: settings.concurrency,
            min: 1,
            max: 10_000,
            tolerance: settings.scaling.tolerance,
            window: .zero
        )
        return decider.evaluate(
            outstanding: figures.outstanding,
            current: figures.replicas,
            ready: figures.ready,
            now: now.moment
        )
    }
}
