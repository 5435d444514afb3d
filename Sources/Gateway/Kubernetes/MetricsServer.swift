// Kubernetes' external metrics API: TLS, the front proxy's certificate, and the pools' figures.

internal import Configuration
internal import HTTPWire
internal import Kubernetes
internal import Synchronization
internal import Telemetry
internal import Transport

/// Answers what an autoscaler asks through Kubernetes' API.
///
/// The API's server asks in its clients' place, and proves who it is by a certificate that the
/// ConfigMap `kube-system/extension-apiserver-authentication` lets one know. Who may read external
/// metrics is decided there, by the rules for the group `external.metrics.k8s.io`.
final class MetricsServer: Sendable {
    /// The listener's terms: TLS with a certificate of our own.
    let door = Door()
    private let gateway: Gateway
    private let loop: Loop
    private let certificate: TLSCertificate
    private let state = Mutex(State())

    private struct State {
        var authority: String?
        /// Who may ask; empty: whoever has a certificate of that authority; nil: nobody.
        var names: [String]?
        var problem = "the authority of the API's front proxy is not known yet"
    }

    /// - Throws: when there is no certificate to be had.
    init(for gateway: Gateway, on loop: Loop) throws(TLSError) {
        self.gateway = gateway
        self.loop = loop
        let space = gateway.machine.ownNamespace ?? "default"
        certificate = try TLSCertificate.selfSigned(
            name: "self-signed",
            names: ["sluice-metrics", "sluice-metrics.\(space).svc"]
        )
        door.terms = Door.Terms(tls: try TLSServer([certificate], tickets: TLSTickets()))
    }

    /// Follows whom to believe.
    func start() {
        loop.spawn { context in
            let watch = ObjectWatch<ConfigMap>(
                ConfigMap.authentication,
                for: self.gateway,
                on: context,
                self.loop,
                at: Parking(on: context),
                isOver: { self.gateway.isOver }
            )
            await watch.run({ self.trust($0.sorted.first) })
        }
    }

    private func trust(_ map: ConfigMap?) {
        guard let map, let authority = map.frontProxyAuthority else {
            return distrust("the ConfigMap \(MetricsServer.place) names no front proxy authority")
        }
        state.withLock { $0.names = map.frontProxyNames }
        guard state.withLock({ $0.authority != authority }) else { return }
        do throws(TLSError) {
            let clients = TLSClientAuth(
                authorities: .only(.bytes(Array(authority.utf8))),
                isRequired: false
            )
            let server = try TLSServer([certificate], clients: clients, tickets: TLSTickets())
            state.withLock { $0.authority = authority }
            door.terms = Door.Terms(tls: server)
            gateway.log.info("metrics", "the API's front proxy is known")
        } catch {
            distrust("the front proxy's authority cannot be used: \(error)")
        }
    }

    private static let place = "kube-system/extension-apiserver-authentication"

    private func distrust(_ why: String) {
        let isNews = state.withLock { state in
            defer {
                state.authority = nil
                state.problem = why
            }
            return state.problem != why
        }
        if isNews { gateway.log.warning("metrics", why) }
    }

    // MARK: answers

    /// Answers one request.
    func answer(
        _ request: AdminRequest,
        _ client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        guard request.method == .get || request.method == .head else {
            var answer = refusal(405, "MethodNotAllowed", "metrics are only read")
            answer.allow = "GET, HEAD"
            return answer
        }
        let question = MetricsQuestion(
            path: request.path,
            selector: request.query["labelSelector"]
        )
        if question == .health { return .text("ok") }
        if let refusal = refusal(of: client) { return refusal }
        switch question {
        case .health, .unknown:
            return refusal(404, "NotFound", "there is no \(request.path) here")
        case .badSelector(let text):
            return refusal(400, "BadRequest", "unable to parse the selector \(text)")
        case .group:
            return document(ExternalMetrics.groupDocument())
        case .resources:
            let names = AutoscalingMetric.allCases.map(\.rawValue)
            return document(ExternalMetrics.resources(names))
        case .values(let name, let selector):
            guard let metric = AutoscalingMetric(rawValue: name) else {
                return refusal(404, "NotFound", "there is no metric \(name)")
            }
            return try await values(metric, selector, for: client)
        }
    }

    private func values(
        _ metric: AutoscalingMetric,
        _ selector: LabelSelector,
        for client: ClientConnection
    ) async throws(ExchangeError) -> AdminAnswer {
        let sum = try await gateway.peers.sum(for: client, gateway)
        let lane = client.lane
        let chosen = sum.pools.filter { selector.matches(["pool": $0.pool]) }
        let values = chosen.map { pool in
            (pool: pool.pool, value: metric.value(pool, desired: lane.desiredReplicas(of: pool)))
        }
        let wall = UInt64(max(0, lane.context.network.wallNanoseconds))
        // Whole seconds, as the API's own times.
        let time = Timestamp(nanoseconds: wall / 1_000_000_000 * 1_000_000_000).text
        return document(ExternalMetrics.values(of: metric.rawValue, values, at: time))
    }

    /// Why a client gets no answer; nil: it does.
    private func refusal(of client: ClientConnection) -> AdminAnswer? {
        let (authority, names, problem) = state.withLock { ($0.authority, $0.names, $0.problem) }
        guard authority != nil else { return refusal(503, "ServiceUnavailable", problem) }
        guard let peer = client.socket.tlsPeer, peer.isVerified else {
            let words = "a certificate of the API's front proxy is needed"
            return refusal(401, "Unauthorized", words)
        }
        guard let names, names.isEmpty || peer.commonName.map(names.contains) == true else {
            let name = peer.commonName ?? ""
            return refusal(403, "Forbidden", "\(name) is not among the front proxy's names")
        }
        return nil
    }

    private func document(_ body: [UInt8]) -> AdminAnswer {
        AdminAnswer(contentType: "application/json", body: body)
    }

    private func refusal(_ code: UInt16, _ reason: String, _ message: String) -> AdminAnswer {
        AdminAnswer(
            status: code,
            contentType: "application/json",
            body: ExternalMetrics.refusal(Int(code), reason, message)
        )
    }
}

/// What is done with the requests for external metrics.
struct MetricsPages: ClientService {
    let server: MetricsServer

    func serve(
        _ exchange: Exchange,
        to client: ClientConnection,
        on lane: Lane
    ) async throws(ExchangeError) {
        let request = try lane.takePageRequest(exchange, from: client)
        let answer = try await server.answer(request, client)
        try await lane.send(answer, of: exchange, to: client)
    }
}

extension Gateway {
    /// Serves the external metrics API at an address that is free.
    func listenMetrics(at address: Transport.Address, as start: Start) {
        loops[0].spawn { context in
            let server: MetricsServer
            do throws(TLSError) {
                server = try MetricsServer(for: self, on: self.loops[0])
            } catch {
                return start.partIsDone(StartError(address: "\(address)", why: "\(error)"))
            }
            do throws(SystemError) {
                let listener = try Socket.listening(at: address, backlog: 128, on: context)
                start.partIsDone()
                server.start()
                await Lane.of(context).accept(
                    from: listener,
                    as: .admin,
                    through: server.door,
                    service: MetricsPages(server: server)
                )
            } catch {
                start.partIsDone(StartError(address: "\(address)", why: "\(error)"))
            }
        }
    }
}
