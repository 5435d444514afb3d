// The replicas of a pool from the EndpointSlices of a Service.

internal import Balancing
internal import Kubernetes
internal import Telemetry
internal import Transport

/// A Service whose endpoints are the replicas.
struct ServiceSource: Sendable, Equatable {
    var service: String
    var namespace: String
    var port: PortChoice
}

extension Discovery {
    /// Keeps the pool's replicas those that the Service's slices list as ready, until another
    /// listing takes over.
    ///
    /// An endpoint that is ending or not ready is unlisted, and so drains: what it has in flight
    /// finishes, and its limit is never exceeded when it comes back. While the API is away
    /// nothing changes.
    func follow(
        _ source: ServiceSource,
        _ epoch: Int,
        _ parking: Parking,
        _ context: LoopContext
    ) async {
        let selection = ObjectSelection(
            namespace: source.namespace,
            labels: "\(EndpointSlice.serviceLabel)=\(source.service)"
        )
        let watch = ObjectWatch<EndpointSlice>(
            selection,
            for: gateway,
            on: context,
            loop,
            at: parking,
            objectsMax: 1000,
            isOver: { !self.isCurrent(epoch) }
        )
        var told: [String] = []
        await watch.run { reflector in
            let endpoints = ServiceEndpoints(reflector.sorted, port: source.port)
            var problems = endpoints.problems
            if reflector.objects.isEmpty {
                problems.append("the Service \(source.namespace)/\(source.service) has no slices")
            }
            for problem in problems where !told.contains(problem) {
                gateway.log.warning("pool.\(pool.name)", problem)
            }
            told = problems
            let replicas = endpoints.ready.compactMap { endpoint -> (ReplicaSpec, Address)? in
                let port = UInt16(clamping: endpoint.port)
                guard let address = Address(endpoint.address, port: port) else { return nil }
                var spec = ReplicaSpec(endpoint: address.description)
                spec.zone = endpoint.zone
                return (spec, address)
            }
            list(replicas, now: context.now)
        }
    }
}
