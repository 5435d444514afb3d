// Serves the Ingresses of a class: follows what they are made of, and hands on what they ask for.
//
//   watches (Ingresses, classes, Services, Secrets) ──▶ known ──a moment of quiet──▶ plan
//                                                                                    │
//        routes, pools, certificates to the owner's reload ◀─────────────────────────┤
//        status of the Ingresses, events about problems to the API ◀─────────────────┘

internal import Configuration
internal import Kubernetes
internal import Synchronization
internal import Telemetry
internal import Transport

/// Keeps the gateway in line with the Ingresses of one class.
final class IngressController: Sendable {
    private let gateway: Gateway
    private let settings: Configuration.Ingress
    private let loop: Loop
    private let state: Mutex<State>

    /// Changes are taken together when none has come for this long.
    private static let quiet = Duration.milliseconds(100)
    /// And at the latest after this.
    private static let patience = Duration.seconds(1)
    /// A kind is not waited for once it was refused so often: an API that has just started refuses
    /// everything for a moment, until it knows its own roles.
    private static let refusalsMax = 3

    /// What is known of one kind in one namespace, or all.
    private struct Part: Sendable {
        var objects = IngressObjects(className: "")
        /// It has been listed, or cannot be: nothing is waited for.
        var isSettled = false
        /// How often listing it was refused.
        var refusals = 0

        mutating func refuse() {
            refusals += 1
            if refusals >= IngressController.refusalsMax { isSettled = true }
        }
    }

    private struct State {
        var parts: [Int: Part] = [:]
        /// The Service whose addresses are published.
        var published: Service?
        var isDirty = false
        var parking: Parking?
        var report = IngressReport()

        /// Whether every kind has been listed, or cannot be.
        var isComplete: Bool { parts.allSatisfy { $0.value.isSettled } }
    }

    init(_ settings: Configuration.Ingress, for gateway: Gateway, on loop: Loop) {
        self.gateway = gateway
        self.settings = settings
        self.loop = loop
        state = Mutex(State())
    }

    /// What there is to tell.
    var report: IngressReport { state.withLock { $0.report } }

    /// Starts the watches and what follows from them.
    func start() {
        var number = 0
        let spaces: [String?] = settings.namespaces.isEmpty ? [nil] : settings.namespaces
        for namespace in spaces {
            let all = ObjectSelection(namespace: namespace)
            follow(Ingress.self, all, as: number) { $0.ingresses = $1 }
            follow(Service.self, all, as: number + 1) { $0.services = $1 }
            let certificates = ObjectSelection(
                namespace: namespace,
                fields: "type=\(Secret.tlsType)"
            )
            follow(Secret.self, certificates, as: number + 2) { $0.secrets = $1 }
            number += 3
        }
        follow(IngressClass.self, ObjectSelection(), as: number) { $0.classes = $1 }
        followPublished()
        loop.spawn { context in await self.run(context) }
    }

    /// What pools and routes start from may have changed.
    func reconsider() { change { _ in } }

    // MARK: watching

    private func follow<Object: APIObject>(
        _ kind: Object.Type,
        _ selection: ObjectSelection,
        as number: Int,
        _ put: @escaping @Sendable (inout IngressObjects, [Object]) -> Void
    ) {
        state.withLock { $0.parts[number] = Part() }
        loop.spawn { context in
            let watch = self.watch(kind, selection, context)
            await watch.run(
                { reflector in
                    self.change { state in
                        if let part = state.parts[number] {
                            var part = part
                            put(&part.objects, reflector.sorted)
                            part.isSettled = true
                            state.parts[number] = part
                        }
                    }
                },
                failed: { failure in
                    // What is not allowed is not waited for; the others are served without it.
                    guard case .refused(let code, _, _) = failure, code == 403 || code == 404
                    else { return }
                    self.change { $0.parts[number]?.refuse() }
                }
            )
        }
    }

    private func watch<Object: APIObject>(
        _ kind: Object.Type,
        _ selection: ObjectSelection,
        _ context: LoopContext
    ) -> ObjectWatch<Object> {
        ObjectWatch<Object>(
            selection,
            for: gateway,
            on: context,
            loop,
            at: Parking(on: context),
            isOver: { self.gateway.isOver }
        )
    }

    private func followPublished() {
        var parts = (settings.publish ?? "").split(separator: "/").map(String.init)
        if parts.isEmpty, let own = gateway.machine.ownNamespace { parts = [own, "sluice"] }
        guard parts.count == 2 else { return }
        let selection = ObjectSelection(
            namespace: parts[0],
            fields: "metadata.name=\(parts[1])"
        )
        loop.spawn { context in
            await self.watch(Service.self, selection, context).run({ reflector in
                let service = reflector.sorted.first
                self.change { $0.published = service }
            })
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let parking = state.withLock { state in
            body(&state)
            state.isDirty = true
            return state.parking
        }
        if let parking { loop.wake(parking) }
    }

    // MARK: planning

    private func run(_ context: LoopContext) async {
        let parking = Parking(on: context)
        state.withLock { $0.parking = parking }
        var handed = Handed()
        var writer = IngressWriter(gateway, loop, context, parking)
        while !gateway.isOver {
            if await settle(parking, context) {
                let plan = IngressPlan(objects())
                take(plan, &handed, &writer, context)
            }
            if let due = await writer.write() {
                await wait(until: due, parking, context)
            } else {
                await wait(until: nil, parking, context)
            }
        }
    }

    /// Waits until something has changed and no more comes, or something else is due.
    private func wait(until due: Instant?, _ parking: Parking, _ context: LoopContext) async {
        let isIdle = { self.state.withLock { !$0.isDirty || !$0.isComplete } }
        while isIdle(), !gateway.isOver {
            if let due, context.now >= due { return }
            await parking.park(until: due)
        }
    }

    /// Whether a plan is due; then changes that follow each other closely have been gathered.
    private func settle(_ parking: Parking, _ context: LoopContext) async -> Bool {
        guard state.withLock({ $0.isDirty && $0.isComplete }) else { return false }
        let latest = context.now + IngressController.patience
        while !gateway.isOver {
            state.withLock { $0.isDirty = false }
            let until = min(context.now + IngressController.quiet, latest)
            while context.now < until { await parking.park(until: until) }
            if context.now >= latest || !state.withLock({ $0.isDirty }) { break }
        }
        state.withLock { $0.isDirty = false }
        return true
    }

    private func objects() -> IngressObjects {
        state.withLock { state in
            var sum = IngressObjects(className: settings.className)
            for (_, part) in state.parts.sorted(by: { $0.key < $1.key }) {
                sum.ingresses += part.objects.ingresses
                sum.classes += part.objects.classes
                sum.services += part.objects.services
                sum.secrets += part.objects.secrets
            }
            return sum
        }
    }

    /// What was handed on last, so that the same is not handed on again.
    private struct Handed {
        var routes: [IngressPlan.Route]?
        var pools: [IngressPlan.Pool] = []
        var certificates: [IngressPlan.Certificate] = []
        /// What pools and routes start from.
        var defaults = Configuration.PoolSettings()
        var responseHeaders = Configuration.ResponseHeaders()
        var problems: Set<IngressProblem> = []
        /// What making the overlay found wrong.
        var found: [IngressProblem] = []
    }

    private func take(
        _ plan: IngressPlan,
        _ handed: inout Handed,
        _ writer: inout IngressWriter,
        _ context: LoopContext
    ) {
        let configuration = gateway.configuration
        if handed.routes != plan.routes || handed.pools != plan.pools
            || handed.certificates != plan.certificates
            || handed.defaults != configuration.defaults
            || handed.responseHeaders != configuration.responseHeaders
        {
            handed.defaults = configuration.defaults
            handed.responseHeaders = configuration.responseHeaders
            handed.routes = plan.routes
            handed.pools = plan.pools
            handed.certificates = plan.certificates
            let made = IngressOverlay.make(
                of: plan,
                for: configuration,
                at: context.network.wallNanoseconds / 1_000_000_000
            )
            handed.found = made.problems
            gateway.hand(made.overlay)
        }
        let problems = plan.problems + handed.found
        for problem in problems where handed.problems.insert(problem).inserted {
            gateway.log.warning(
                "ingress",
                "\(problem.ingress): \(problem.reason): \(problem.message)"
            )
        }
        handed.problems.formIntersection(problems)
        let published = state.withLock { state in
            state.report = IngressReport(
                className: settings.className,
                ingresses: plan.ingresses.count,
                routes: plan.routes.count,
                problems: problems
            )
            return state.published
        }
        writer.want(plan.ingresses, published?.places, problems)
    }
}

/// What there is to tell of the Ingresses.
struct IngressReport: Sendable {
    var className = ""
    /// Ingresses of the class.
    var ingresses = 0
    var routes = 0
    var problems: [IngressProblem] = []
}
