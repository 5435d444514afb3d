// What Ingresses add to a configuration: pools, routes and certificates.

package import Configuration
internal import Kubernetes
package import Transport

/// What Ingresses add to a configuration.
package struct IngressOverlay: Sendable {
    /// In addition to the file's; a pool of the file with the same name stays.
    package var pools: [Configuration.Pool] = []
    /// In addition to the file's; of two with the same conditions the file's is taken.
    package var routes: [Configuration.Route] = []
    /// For every listener that speaks TLS.
    package var certificates: [TLSCertificate] = []

    /// Adds nothing.
    package static let none = IngressOverlay()
}

extension Configuration {
    /// The configuration with what Ingresses add.
    package func adding(_ overlay: IngressOverlay) -> Configuration {
        var sum = self
        let known = Set(pools.map(\.name))
        sum.pools += overlay.pools.filter { !known.contains($0.name) }
        let names = Set(routes.map(\.name))
        sum.routes += overlay.routes.filter { !names.contains($0.name) }
        return sum
    }
}

extension IngressOverlay {
    /// Makes it of a plan; returns also what is wrong with annotations and certificates.
    ///
    /// `now` is in seconds since 1970-01-01 UTC.
    static func make(
        of plan: IngressPlan,
        for configuration: Configuration,
        at now: Int64
    ) -> (overlay: IngressOverlay, problems: [IngressProblem]) {
        var making = Making(plan)
        for pool in plan.pools { making.take(pool, configuration.defaults) }
        for route in plan.routes { making.take(route, configuration) }
        for pair in plan.certificates { making.take(pair, at: now) }
        return (making.overlay, making.problems)
    }

    /// An overlay half-way.
    private struct Making {
        var overlay = IngressOverlay()
        var problems: [IngressProblem] = []
        private let ingresses: [ObjectKey: Ingress]

        init(_ plan: IngressPlan) {
            ingresses = Dictionary(plan.ingresses.map { ($0.key, $0) }) { first, _ in first }
        }

        private mutating func complain(_ key: ObjectKey, _ reason: String, _ words: String) {
            guard let ingress = ingresses[key] else { return }
            let problem = IngressProblem(ingress, reason, words)
            if !problems.contains(problem) { problems.append(problem) }
        }

        mutating func take(_ pool: IngressPlan.Pool, _ defaults: Configuration.PoolSettings) {
            var made = Configuration.Pool(
                name: pool.name,
                source: IngressOverlay.source(of: pool),
                settings: defaults
            )
            // Nobody is there to be waited for.
            if pool.port == nil { made.settings.queue.patience = .zero }
            var unused = Configuration.Route(name: "", pool: "")
            let wrong = Configuration.annotate(&made.settings, &unused, with: pool.annotations)
            for words in wrong { complain(pool.ingress, "BadAnnotation", words) }
            overlay.pools.append(made)
        }

        mutating func take(_ route: IngressPlan.Route, _ configuration: Configuration) {
            var made = Configuration.Route(name: IngressOverlay.name(of: route), pool: route.pool)
            made.responseHeaders = configuration.responseHeaders
            made.host = IngressOverlay.host(of: route)
            switch route.path {
            case .exact(let path): made.path = .exact(path)
            case .prefix(let path): made.path = .prefix(path)
            }
            var unused = configuration.defaults
            let wrong = Configuration.annotate(&unused, &made, with: route.annotations)
            for words in wrong { complain(route.ingress, "BadAnnotation", words) }
            overlay.routes.append(made)
        }

        mutating func take(_ pair: IngressPlan.Certificate, at now: Int64) {
            do throws(TLSError) {
                let certificate = try TLSCertificate(
                    certificate: .bytes(pair.certificate),
                    key: .bytes(pair.key),
                    name: "secret \(pair.secret)"
                )
                // A certificate that no server can show must not keep the others from being shown.
                _ = try TLSServer([certificate], tickets: TLSTickets())
                overlay.certificates.append(certificate)
                // One that has expired tells a client more than one of somebody else.
                try certificate.check(at: now)
            } catch {
                complain(pair.ingress, "BadSecret", "the Secret \(pair.secret): \(error)")
            }
        }
    }

    private static func source(of pool: IngressPlan.Pool) -> Configuration.ReplicaSource {
        guard let port = pool.port else { return .replicas([]) }
        var kubernetes = Configuration.Kubernetes(service: pool.service.name, port: .name(""))
        kubernetes.namespace = pool.service.namespace
        switch port {
        case .number(let number): kubernetes.port = .number(number)
        case .named(let name): kubernetes.port = .name(name)
        }
        return .kubernetes(kubernetes)
    }

    private static func host(of route: IngressPlan.Route) -> Configuration.HostMatch {
        switch route.host {
        case .any: .any
        case .exact(let name): .exact(name)
        case .label(let name): .label(name)
        }
    }

    /// Unique, since every condition stands once in a plan; labels metrics and logs.
    private static func name(of route: IngressPlan.Route) -> String {
        let host =
            switch route.host {
            case .any: ""
            case .exact(let name): name
            case .label(let name): "*.\(name)"
            }
        switch route.path {
        case .exact(let path): return "ingress \(route.ingress) \(host)=\(path)"
        case .prefix(let path): return "ingress \(route.ingress) \(host)\(path)"
        }
    }
}
