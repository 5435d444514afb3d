// Everything the gateway counts: the counters and histograms of `/metrics`, handed out as one
// handle per pool, route and replica so that the request path looks nothing up.
import Synchronization

/// All counters and histograms of one gateway.
///
/// Gauges are not kept here: they are read at scrape time from the counts the pools themselves use
/// and written with `PrometheusText.gauge`.
package final class GatewayMetrics: Sendable {
    /// Pools, routes and replicas of a pool that get series of their own; those beyond share the
    /// label `other`.
    static let namesMax = 10_000
    static let overflow = "other"

    /// Arriving client connections.
    package let connections: CounterSet<ConnectionResult>
    /// TLS handshakes with clients.
    package let handshakes: CounterSet<HandshakeResult>
    /// What the loops spent on each of them, operations with keys included.
    package let handshakeTimes: Histogram
    /// Exchanges that matched no route, or whose request could not be read: labels `pool` and
    /// `route` are empty.
    package let unrouted: RouteMetrics

    private let stripes: Int
    private let state = Mutex(State())

    private struct State {
        var pools: [String: PoolMetrics] = [:]
        var routes: [RouteKey: RouteMetrics] = [:]
    }

    private struct RouteKey: Hashable, Comparable {
        let pool: String
        let route: String

        static func < (left: RouteKey, right: RouteKey) -> Bool {
            (left.pool, left.route) < (right.pool, right.route)
        }
    }

    /// Makes the metrics of a gateway.
    ///
    /// - Parameter stripes: The number of loops that count, 1 or more.
    package init(stripes: Int = 1) {
        self.stripes = stripes
        connections = CounterSet(stripes: stripes)
        handshakes = CounterSet(stripes: stripes)
        handshakeTimes = Histogram(.work, stripes: stripes)
        unrouted = RouteMetrics(pool: "", route: "", stripes: stripes)
    }

    /// The handle of the pool `name`, made when it is first asked for.
    ///
    /// For the making of a snapshot, not for the request path: takes a lock.
    package func pool(_ name: String) -> PoolMetrics {
        state.withLock { state in
            let key = Self.key(name, in: state.pools)
            if let found = state.pools[key] {
                return found
            }
            let made = PoolMetrics(name: key, stripes: stripes)
            state.pools[key] = made
            return made
        }
    }

    /// The handle of the route `name` that leads to `pool`, made when it is first asked for.
    ///
    /// For the making of a snapshot, not for the request path: takes a lock.
    package func route(_ name: String, pool: String) -> RouteMetrics {
        state.withLock { state in
            var key = RouteKey(pool: pool, route: name)
            if state.routes[key] == nil, state.routes.count >= Self.namesMax {
                key = RouteKey(pool: Self.overflow, route: Self.overflow)
            }
            if let found = state.routes[key] {
                return found
            }
            let made = RouteMetrics(pool: key.pool, route: key.route, stripes: stripes)
            state.routes[key] = made
            return made
        }
    }

    /// Exchanges of the pool `name` that have ended, over all its routes in force.
    package func ended(pool name: String) -> UInt64 {
        let routes = state.withLock { state in
            state.routes.filter { $0.key.pool == name }.map(\.value)
        }
        return routes.reduce(0) { sum, route in
            route.answers.read().reduce(sum) { $0 &+ $1.count }
        }
    }

    /// Forgets the pools and routes that a reload removed.
    ///
    /// Handles still held by exchanges in flight stay usable; they are no longer written.
    package func retain(pools: Set<String>, routes: Set<String>) {
        state.withLock { state in
            state.pools = state.pools.filter { pools.contains($0.key) }
            state.routes = state.routes.filter {
                pools.contains($0.key.pool) && routes.contains($0.key.route)
            }
        }
    }

    /// Writes every family kept here, in a stable order.
    package func write(into text: inout PrometheusText) {
        let (pools, routes) = state.withLock { state in
            (
                state.pools.values.sorted { $0.name < $1.name },
                state.routes.sorted { $0.key < $1.key }.map(\.value) + [unrouted]
            )
        }
        writeRoutes(routes, into: &text)
        writeQueues(pools, into: &text)
        writeUpstreams(pools, into: &text)
        writeHealth(pools, into: &text)
        text.family(
            "sluice_client_connections_total",
            .counter,
            help: "Client connections that arrived, by what became of them."
        )
        for result in ConnectionResult.allCases {
            text.sample(["result": result.token.description], connections.read(result))
        }
        writeHandshakes(into: &text)
    }

    private func writeHandshakes(into text: inout PrometheusText) {
        text.family(
            "sluice_tls_handshakes_total",
            .counter,
            help: "TLS handshakes with clients, by how they ended."
        )
        for result in HandshakeResult.allCases {
            text.sample(["result": result.token.description], handshakes.read(result))
        }
        text.family(
            "sluice_tls_handshake_work_seconds",
            .histogram,
            help: "Time a loop spent on one TLS handshake, operations with keys included."
        )
        text.sample([:], handshakeTimes.read())
    }

    /// Where `name` is kept in `table`: under its own name unless the table is full.
    static func key<Value>(_ name: String, in table: [String: Value]) -> String {
        table[name] != nil || table.count < namesMax ? name : overflow
    }

    private func writeRoutes(_ routes: [RouteMetrics], into text: inout PrometheusText) {
        text.family(
            "sluice_requests_total",
            .counter,
            help: "Exchanges ended, by the status the client got and the reason."
        )
        for route in routes {
            for answer in route.answers.read() {
                text.sample(
                    [
                        "pool": route.pool,
                        "route": route.route,
                        "code": answer.code.map { String($0) } ?? "other",
                        "reason": answer.reason.token.description,
                    ],
                    answer.count
                )
            }
        }
        text.family(
            "sluice_request_duration_seconds",
            .histogram,
            help: "From the arrival of a request to the end of its answer."
        )
        for route in routes {
            text.sample(["pool": route.pool, "route": route.route], route.durations.read())
        }
    }

    private func writeQueues(_ pools: [PoolMetrics], into text: inout PrometheusText) {
        text.family(
            "sluice_queue_wait_seconds",
            .histogram,
            help: "Time between arrival at a pool and a lease, or the end of waiting for one."
        )
        for pool in pools {
            for outcome in QueueOutcome.allCases {
                text.sample(
                    ["pool": pool.name, "outcome": outcome.token.description],
                    pool.waits(outcome).read()
                )
            }
        }
    }

    private func writeUpstreams(_ pools: [PoolMetrics], into text: inout PrometheusText) {
        text.family(
            "sluice_upstream_seconds",
            .histogram,
            help: "Time spent on attempts at replicas, by phase."
        )
        for pool in pools {
            for phase in UpstreamPhase.allCases {
                text.sample(
                    ["pool": pool.name, "phase": phase.token.description],
                    pool.times(phase).read()
                )
            }
        }
        text.family(
            "sluice_upstream_attempts_total",
            .counter,
            help: "Attempts at replicas, by how they ended."
        )
        for pool in pools {
            for replica in pool.sortedReplicas() {
                for result in AttemptResult.allCases {
                    text.sample(
                        [
                            "pool": pool.name,
                            "replica": replica.endpoint,
                            "result": result.token.description,
                        ],
                        replica.attempts.read(result)
                    )
                }
            }
        }
        writeCounters(
            "sluice_retries_total",
            help: "Further attempts, by what they made good for.",
            label: "cause",
            of: pools,
            \.retries,
            into: &text
        )
    }

    private func writeHealth(_ pools: [PoolMetrics], into text: inout PrometheusText) {
        writeCounters(
            "sluice_probes_total",
            help: "Active probes, by result.",
            label: "result",
            of: pools,
            \.probes,
            into: &text
        )
        writeCounters(
            "sluice_ejections_total",
            help: "Replicas set aside for what they did in real traffic.",
            label: "cause",
            of: pools,
            \.ejections,
            into: &text
        )
    }

    private func writeCounters<Key: MetricKey>(
        _ name: String,
        help: String,
        label: String,
        of pools: [PoolMetrics],
        _ counters: KeyPath<PoolMetrics, CounterSet<Key>>,
        into text: inout PrometheusText
    ) {
        text.family(name, .counter, help: help)
        for pool in pools {
            for key in Key.allCases {
                text.sample(
                    ["pool": pool.name, label: key.token.description],
                    pool[keyPath: counters].read(key)
                )
            }
        }
    }
}

/// What is counted per route.
package final class RouteMetrics: Sendable {
    /// The name of the pool it leads to; empty for `unrouted`.
    package let pool: String
    /// Its name; empty for `unrouted`.
    package let route: String
    let answers: AnswerCounters
    let durations: Histogram

    init(pool: String, route: String, stripes: Int) {
        self.pool = pool
        self.route = route
        answers = AnswerCounters(stripes: stripes)
        durations = Histogram(stripes: stripes)
    }

    /// Counts one exchange that ended.
    ///
    /// Any thread may call this; no lock, no allocation. `code` is the status the client got, or
    /// 499 when it left before any; `duration` runs from the request's arrival to the end of the
    /// exchange; `stripe` is the number of the calling loop.
    package func ended(code: UInt16, reason: Reason, duration: Duration, stripe: Int = 0) {
        answers.add(code: code, reason: reason, stripe: stripe)
        durations.observe(duration, stripe: stripe)
    }
}

/// What is counted per pool.
///
/// Any thread may call the counting functions; none of them locks or allocates. `stripe` is the
/// number of the calling loop.
package final class PoolMetrics: Sendable {
    /// The label its series carry.
    package let name: String
    // Each by itself: one that is taken out of an array is retained for each observation.
    private let leased: Histogram
    private let shed: Histogram
    private let clientGone: Histogram
    private let connect: Histogram
    private let ttfb: Histogram
    private let total: Histogram
    let retries: CounterSet<RetryCause>
    let probes: CounterSet<ProbeResult>
    let ejections: CounterSet<EjectionCause>
    private let stripes: Int
    private let replicas = Mutex<[String: ReplicaMetrics]>([:])

    init(name: String, stripes: Int) {
        self.name = name
        self.stripes = stripes
        leased = Histogram(stripes: stripes)
        shed = Histogram(stripes: stripes)
        clientGone = Histogram(stripes: stripes)
        connect = Histogram(stripes: stripes)
        ttfb = Histogram(stripes: stripes)
        total = Histogram(stripes: stripes)
        retries = CounterSet(stripes: stripes)
        probes = CounterSet()
        ejections = CounterSet()
    }

    /// Counts one stay in the queue; zero for a request that was leased or shed on arrival.
    package func waited(_ duration: Duration, _ outcome: QueueOutcome, stripe: Int = 0) {
        switch outcome {
        case .leased: leased.observe(duration, stripe: stripe)
        case .shed: shed.observe(duration, stripe: stripe)
        case .clientGone: clientGone.observe(duration, stripe: stripe)
        }
    }

    /// The stays in the queue that ended so.
    func waits(_ outcome: QueueOutcome) -> Histogram {
        switch outcome {
        case .leased: leased
        case .shed: shed
        case .clientGone: clientGone
        }
    }

    /// Counts the time one phase of an attempt took.
    package func spent(_ duration: Duration, _ phase: UpstreamPhase, stripe: Int = 0) {
        switch phase {
        case .connect: connect.observe(duration, stripe: stripe)
        case .ttfb: ttfb.observe(duration, stripe: stripe)
        case .total: total.observe(duration, stripe: stripe)
        }
    }

    /// What the phases of that kind took.
    func times(_ phase: UpstreamPhase) -> Histogram {
        switch phase {
        case .connect: connect
        case .ttfb: ttfb
        case .total: total
        }
    }

    /// Counts one further attempt.
    package func retried(_ cause: RetryCause, stripe: Int = 0) {
        retries.add(cause, stripe: stripe)
    }

    /// Counts one active probe.
    package func probed(_ result: ProbeResult) {
        probes.add(result)
    }

    /// Counts one replica set aside.
    package func ejected(_ cause: EjectionCause) {
        ejections.add(cause)
    }

    /// The handle of the replica at `endpoint`, made when it is first asked for.
    ///
    /// Keep it with the replica's connections: this takes a lock.
    package func replica(_ endpoint: String) -> ReplicaMetrics {
        replicas.withLock { replicas in
            let key = GatewayMetrics.key(endpoint, in: replicas)
            if let found = replicas[key] {
                return found
            }
            let made = ReplicaMetrics(endpoint: key, stripes: stripes)
            replicas[key] = made
            return made
        }
    }

    /// Forgets all replicas but those at `endpoints`; call it when a replica is gone.
    package func retainReplicas(_ endpoints: Set<String>) {
        replicas.withLock { replicas in
            replicas = replicas.filter { endpoints.contains($0.key) }
        }
    }

    func sortedReplicas() -> [ReplicaMetrics] {
        replicas.withLock { $0.values.sorted { $0.endpoint < $1.endpoint } }
    }
}

/// What is counted per replica.
package final class ReplicaMetrics: Sendable {
    /// The label its series carry.
    package let endpoint: String
    let attempts: CounterSet<AttemptResult>

    init(endpoint: String, stripes: Int) {
        self.endpoint = endpoint
        attempts = CounterSet(stripes: stripes)
    }

    /// Counts one attempt that ended.
    ///
    /// Any thread may call this; no lock, no allocation.
    package func attempted(_ result: AttemptResult, stripe: Int = 0) {
        attempts.add(result, stripe: stripe)
    }
}
