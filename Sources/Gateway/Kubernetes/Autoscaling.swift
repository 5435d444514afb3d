// How much work the pools have, for those who decide how many replicas there are: an autoscaler,
// and other gateways in front of the same replicas.

internal import Balancing
internal import Configuration
internal import Kubernetes
internal import Transport

extension PoolFigures {
    /// What a pool's gauges say.
    init(_ name: String, _ gauges: PoolSnapshot) {
        self.init(
            pool: name,
            inFlight: gauges.inFlight,
            waiting: gauges.waiters,
            capacity: gauges.capacity,
            replicas: gauges.replicas.count { $0.state != .draining },
            ready: gauges.replicas.count { $0.limitNow > 0 || $0.inFlight > 0 }
        )
    }
}

extension Gateway {
    /// What this gateway alone sees.
    var ownFigures: GatewayFigures {
        GatewayFigures(
            gateway: peers.id,
            pools: snapshot.pools.map { PoolFigures($0.name, $0.snapshot()) }
        )
    }
}

/// What an autoscaler can read of a pool.
enum AutoscalingMetric: String, CaseIterable {
    case outstanding = "sluice_pool_outstanding_requests"
    case saturation = "sluice_pool_saturation"
    case desired = "sluice_pool_desired_replicas"

    /// The value for a pool; `desired` is what its load asks for.
    func value(_ figures: PoolFigures, desired: Int) -> Double {
        switch self {
        case .outstanding: Double(figures.outstanding)
        case .saturation: figures.saturation
        case .desired: Double(desired)
        }
    }
}

extension Lane {
    /// `/autoscale`: every pool, `/autoscale/POOL` one of them, over all gateways; with `?own` what
    /// this gateway alone sees, for the others.
    func autoscaleAnswer(
        to request: AdminRequest,
        for client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        if request.query["own"] != nil {
            let body = gateway.ownFigures.document
            return AdminAnswer(contentType: "application/json", body: body)
        }
        let sum = try await gateway.peers.sum(for: client, gateway)
        guard let name = AdminPage.poolToScale(in: request.path) else {
            return .json { json in
                json.name("gateways")
                json.value(sum.gateways)
                json.name("pools")
                json.array { json in
                    for pool in sum.pools { json.object { write(pool, sum.gateways, into: &$0) } }
                }
            }
        }
        guard let pool = sum.pools.first(where: { $0.pool == name }) else {
            let known = snapshot.pools.map(\.name).joined(separator: ", ")
            return .problem(404, "there is no pool \(name); there are: \(known)")
        }
        return .json { write(pool, sum.gateways, into: &$0) }
    }

    private func write(_ pool: PoolFigures, _ gateways: Int, into json: inout JSONWriter) {
        json.name("pool")
        json.value(pool.pool)
        json.name("outstandingRequests")
        json.value(pool.outstanding)
        json.name("inFlight")
        json.value(pool.inFlight)
        json.name("waiting")
        json.value(pool.waiting)
        json.name("capacity")
        json.value(pool.capacity)
        json.name("saturation")
        json.value(pool.saturation)
        json.name("desiredReplicas")
        json.value(desiredReplicas(of: pool))
        json.name("gateways")
        json.value(gateways)
    }

    /// What the load over all gateways asks for, or what was decided where one scales by itself.
    func desiredReplicas(of figures: PoolFigures) -> Int {
        let settings = gateway.configuration.pools.first { $0.name == figures.pool }?.settings
        let pool = snapshot.pools.first { $0.name == figures.pool }
        return gateway.desiredReplicas(of: pool, figures, settings, now: now)
    }
}
