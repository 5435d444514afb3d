// What an Ingress controller writes to the API, one request after the other, and tries again.

internal import Kubernetes
internal import Telemetry
internal import Transport

/// Writes where Ingresses can be reached, and events about problems.
///
/// Confined to its loop. Several gateways write the same: a status that says so already is not
/// written, and an event has the same name whoever makes it.
struct IngressWriter {
    private struct Published: Equatable {
        var uid: String?
        var places: [LoadBalancer.Place]
    }

    private let gateway: Gateway
    private let loop: Loop
    private let context: LoopContext
    private let parking: Parking
    private var ingresses: [Ingress] = []
    private var places: [LoadBalancer.Place]?
    private var problems: [IngressProblem] = []
    private var published: [ObjectKey: Published] = [:]
    private var told: Set<IngressProblem> = []
    private var backoff = Backoff()
    private var dueAt: Instant?
    /// What cannot be written is tried again after this when the API refuses it.
    private static let refusedPause = Duration.seconds(300)

    init(_ gateway: Gateway, _ loop: Loop, _ context: LoopContext, _ parking: Parking) {
        self.gateway = gateway
        self.loop = loop
        self.context = context
        self.parking = parking
    }

    /// Takes what the API should say; `places` nil: nobody knows where Ingresses are reached.
    mutating func want(
        _ ingresses: [Ingress],
        _ places: [LoadBalancer.Place]?,
        _ problems: [IngressProblem]
    ) {
        self.ingresses = ingresses
        self.places = places
        self.problems = problems
        told.formIntersection(problems)
        let known = Set(ingresses.map(\.key))
        published = published.filter { known.contains($0.key) }
    }

    /// Writes what is not written yet; returns when to try again what could not be.
    mutating func write() async -> Instant? {
        if let dueAt, context.now < dueAt { return dueAt }
        dueAt = nil
        for ingress in ingresses {
            guard let places else { break }
            let wanted = Published(uid: ingress.metadata.uid, places: places)
            // Once: with somebody who writes something else nobody would come to an end.
            guard published[ingress.key] != wanted else { continue }
            if let patch = ingress.statusPatch(places) {
                var request = APIRequest(target: ingress.statusPath)
                request.method = "PATCH"
                request.contentType = "application/merge-patch+json"
                request.body = patch
                let isDone = await send(
                    request,
                    .patch,
                    "\(Ingress.resource)/status",
                    in: ingress.key.namespace
                )
                guard isDone else { return dueAt }
            }
            published[ingress.key] = wanted
        }
        for problem in problems where !told.contains(problem) {
            let namespace = problem.ingress.namespace
            var request = APIRequest(target: IngressProblem.events.path(in: namespace))
            request.method = "POST"
            let time = Timestamp(nanoseconds: UInt64(max(0, context.network.wallNanoseconds)))
            request.body = problem.event(at: time.text)
            let events = "\(IngressProblem.events)"
            guard await send(request, .create, events, in: namespace) else { return dueAt }
            told.insert(problem)
        }
        return nil
    }

    /// Whether the API took it, or will never take it.
    private mutating func send(
        _ request: APIRequest,
        _ verb: Verb,
        _ resource: String,
        in namespace: String
    ) async -> Bool {
        let gateway = gateway
        let call = APICall(
            on: context,
            loop,
            at: parking,
            resolver: gateway.resolver,
            trust: gateway.apiTrust,
            isOver: { gateway.isOver }
        )
        defer { call.close() }
        do throws(APIFailure) {
            guard let access = gateway.kubernetesAccess else { throw .unreachable("no API") }
            try await call.send(request, to: access, until: context.now + .seconds(10))
            backoff.succeeded()
            return true
        } catch {
            // The object is gone, or the event is told already.
            if case .refused(let code, _, _) = error, code == 404 || code == 409 { return true }
            let words = error.words(verb, resource, in: namespace)
            gateway.log.warning("ingress", words)
            var pause = backoff.failed(random: context.network.random())
            if case .refused(let code, _, _) = error, (400..<500).contains(code), code != 429 {
                pause = IngressWriter.refusedPause
            }
            dueAt = context.now + max(pause, error.pause ?? .zero)
            return false
        }
    }
}
