// The assembled gateway: start, reload, drain, stop.
//
//   running ──SIGTERM──▶ announcing ──drainDelay──▶ draining ──grace──▶ cutting ──▶ over
//                        /ready says 503            listeners closed    what is left is cut

internal import Balancing
package import Configuration
internal import HTTPWire
internal import Synchronization
package import Telemetry
package import Transport

/// One gateway: its loops, its pools, and the configuration in force.
package final class Gateway: Sendable {
    /// What the gateway gets from outside.
    package struct Surroundings: Sendable {
        package var loops: [Loop]
        package var log: Log
        package var resolver: Resolver
        /// Called when access log lines wait to be taken.
        package var wakeLogWriter: @Sendable () -> Void
        /// Takes a line that a process of ours has printed.
        package var processOutput: @Sendable (String) -> Void
        /// Lines that were lost on their way out, for the metric.
        package var droppedOutputLines: @Sendable () -> UInt64
        /// Takes the configuration over again, for `POST /reload`.
        package var reload: Reload
        /// Connections that the descriptors allow.
        package var connectionsMax: Int
        /// Variables and files, where settings point at them.
        package var machine: Machine
        /// Takes what Ingresses add, to apply the configuration again with it.
        package var takeOverlay: @Sendable (IngressOverlay) -> Void

        package init(
            loops: [Loop],
            log: Log,
            resolver: @escaping Resolver = systemResolver,
            wakeLogWriter: @escaping @Sendable () -> Void = {},
            processOutput: @escaping @Sendable (String) -> Void = { _ in },
            droppedOutputLines: @escaping @Sendable () -> UInt64 = { 0 },
            reload: @escaping Reload = { $0(.unavailable("there is nothing to reload from")) },
            connectionsMax: Int = 10_000,
            machine: Machine = Machine(),
            takeOverlay: @escaping @Sendable (IngressOverlay) -> Void = { _ in }
        ) {
            self.loops = loops
            self.log = log
            self.resolver = resolver
            self.wakeLogWriter = wakeLogWriter
            self.processOutput = processOutput
            self.droppedOutputLines = droppedOutputLines
            self.reload = reload
            self.connectionsMax = connectionsMax
            self.machine = machine
            self.takeOverlay = takeOverlay
        }
    }

    enum Phase: Int { case running, announcing, draining, cutting, over }

    let metrics: GatewayMetrics
    /// How the watches of Kubernetes' API fare.
    let kubernetes = KubernetesReports()
    let apiTrust = APITrust()
    /// Other gateways in front of the same replicas.
    let peers = Peers()
    /// Whether the Ingresses are known, if any are to be served.
    private let knowsIngresses: Atomic<Bool>
    /// Access log lines, for whoever writes them out.
    package let accessLog: AccessLogBuffer
    let loops: [Loop]
    private let surroundings: Surroundings
    /// One for each listener, in the order of the configuration at start.
    let doors: [Door]
    private let state: Mutex<State>
    private let generationNumber = Atomic<Int>(0)
    private let phaseNumber = Atomic<Int>(Phase.running.rawValue)
    private let connections = Atomic<Int>(0)
    /// Where new connections go.
    let shares: LoopShares
    private let adminConnections = Atomic<Int>(0)
    /// Most connections to the admin address; they are counted apart, so that a full house can
    /// still be looked at and a drain does not wait for those who watch it.
    private static let adminConnectionsMax = 64
    private let connectionsMax = Atomic<Int>(0)

    private struct State {
        var configuration: Configuration
        var snapshot: Snapshot
        var members: [String: Member] = [:]
        var expiries: [CertificateExpiry] = []
        var certificates: Set<CertificateIdentity> = []
        /// The listeners of the configuration at start, and what was read for it.
        let startedWith: [Configuration.Listener]
        var material: TLSMaterial
        /// Where the drain waits, to be hurried.
        var drain: (Loop, Parking)?
        var facts = Facts()
        var ingress: IngressController?
    }

    /// What happened to the gateway as a whole.
    struct Facts: Sendable {
        var startedAt: Instant?
        var bound: Bound?
        var lastReload: GatewayStatus.LastReload?
    }

    /// A pool and what keeps it alive.
    private struct Member {
        let pool: Pool
        let prober: Prober
        let discovery: Discovery
        let life: PoolLife
    }

    /// A gateway with a checked configuration; listeners and loops are taken from it once.
    ///
    /// `material` is what its TLS needs; it takes part in nothing before `start`.
    package init(
        _ configuration: Configuration,
        _ material: TLSMaterial = .none,
        in surroundings: Surroundings
    ) {
        self.surroundings = surroundings
        loops = surroundings.loops
        shares = LoopShares(loops: surroundings.loops.count)
        metrics = GatewayMetrics(stripes: surroundings.loops.count)
        accessLog = AccessLogBuffer(bytesMax: configuration.accessLog.bufferBytes)
        doors = configuration.listeners.map { _ in Door() }
        knowsIngresses = Atomic(configuration.ingress == nil)
        state = Mutex(
            State(
                configuration: configuration,
                snapshot: Snapshot(
                    generation: 0,
                    routes: RouteTable([]),
                    pools: [],
                    settings: configuration.gatewaySettings
                ),
                startedWith: configuration.listeners,
                material: material
            )
        )
    }

    var log: Log { surroundings.log }
    var resolver: Resolver { surroundings.resolver }
    var machine: Machine { surroundings.machine }
    func wakeLogWriter() { surroundings.wakeLogWriter() }
    func processOutput(_ line: String) { surroundings.processOutput(line) }
    var droppedOutputLines: UInt64 { surroundings.droppedOutputLines() }
    /// Asks the owner to take the configuration over again; answered on any thread.
    func reload(then done: @escaping @Sendable (ReloadOutcome) -> Void) {
        surroundings.reload(done)
    }

    // MARK: configuration

    /// Hands on what Ingresses add.
    func hand(_ overlay: IngressOverlay) { surroundings.takeOverlay(overlay) }

    /// What Ingresses add is part of the configuration in force.
    package func noteOverlay() { knowsIngresses.store(true, ordering: .releasing) }

    /// Whether the Ingresses are still to be listed.
    var isAwaitingIngresses: Bool { !knowsIngresses.load(ordering: .acquiring) }
    /// What there is to tell of the Ingresses; nil: none are served.
    var ingressReport: IngressReport? { state.withLock { $0.ingress }?.report }

    /// The number of the configuration in force.
    var generation: Int { generationNumber.load(ordering: .acquiring) }
    var snapshot: Snapshot { state.withLock { $0.snapshot } }
    /// The configuration in force.
    package var configuration: Configuration { state.withLock { $0.configuration } }

    /// Takes a checked configuration; replicas keep their identity, requests in flight finish.
    ///
    /// The listeners' addresses, the admin's and the number of loops stay as they were at start;
    /// `material` is what the configuration's TLS needs.
    package func apply(_ configuration: Configuration, _ material: TLSMaterial = .none) {
        let old = state.withLock { $0.members }
        var members: [String: Member] = [:]
        for described in configuration.pools {
            let client = material.clients[described.name]
            let member = old[described.name] ?? makeMember(described, client)
            members[described.name] = member
            if old[described.name] != nil {
                loops[0].spawn { context in
                    member.pool.configure(described.poolOptions, now: context.now)
                }
                member.prober.configure(described.probeSettings(client))
            }
        }
        let number = generation + 1
        let next = makeSnapshot(configuration, material, number: number, members)
        let started = state.withLock { $0.startedWith }
        openDoors(configuration, material, as: started)
        state.withLock { state in
            state.expiries = material.expiries
            state.certificates = material.certificates
            state.configuration = configuration
            state.snapshot = next
            state.members = members
        }
        if let wanted = configuration.limits.connections, wanted > surroundings.connectionsMax {
            log.warning(
                "gateway",
                "limits.connections is \(wanted), but the descriptors allow "
                    + "\(surroundings.connectionsMax): raise the hard limit (ulimit -n)"
            )
        }
        connectionsMax.store(
            min(next.settings.connectionsMax, surroundings.connectionsMax),
            ordering: .relaxed
        )
        generationNumber.store(number, ordering: .releasing)
        for described in configuration.pools {
            members[described.name]?.discovery.use(described.listing)
        }
        for (name, member) in old.sorted(by: { $0.key < $1.key }) where members[name] == nil {
            retire(member)
        }
        metrics.retain(
            pools: Set(configuration.pools.map(\.name)),
            routes: Set(configuration.routes.map(\.name))
        )
        state.withLock { $0.ingress }?.reconsider()
    }

    /// Notes what came of the last attempt to reload, for `/status` and the metric.
    package func noteReload(_ outcome: ReloadOutcome, wallNanoseconds: Int64) {
        let last = GatewayStatus.LastReload(outcome: outcome, wallNanoseconds: wallNanoseconds)
        state.withLock { $0.facts.lastReload = last }
    }

    /// The certificates in force that stand in files.
    package var certificatesInForce: Set<CertificateIdentity> {
        state.withLock { $0.certificates }
    }
    var expiries: [CertificateExpiry] { state.withLock { $0.expiries } }
    var facts: Facts { state.withLock { $0.facts } }

    private func makeMember(_ described: Configuration.Pool, _ client: TLSClient?) -> Member {
        let loop = loops[0]
        let life = PoolLife()
        let pool = Pool(
            name: described.name,
            options: described.poolOptions,
            seed: AffinityHash.key(of: described.name),
            metrics: metrics.pool(described.name),
            log: log,
            closeIdle: { [loops] key in
                for loop in loops {
                    loop.spawn { context in Lane.of(context).upstreams.closeIdle(key) }
                }
            }
        )
        let prober = Prober(pool: pool, gateway: self, settings: described.probeSettings(client))
        let discovery = Discovery(pool: pool, prober: prober, gateway: self, loop: loop)
        loop.spawn { context in
            await pool.keepTime(on: Lane.of(context)) { self.isOver || life.isOver }
        }
        return Member(pool: pool, prober: prober, discovery: discovery, life: life)
    }

    private func makeSnapshot(
        _ configuration: Configuration,
        _ material: TLSMaterial,
        number: Int,
        _ members: [String: Member]
    ) -> Snapshot {
        var described: [String: Configuration.Pool] = [:]
        for pool in configuration.pools { described[pool.name] = pool }
        let routes = configuration.routes.compactMap { route -> Route? in
            guard let member = members[route.pool], let pool = described[route.pool] else {
                return nil
            }
            return Route(
                route,
                of: configuration,
                to: member.pool,
                pool,
                tls: material.clients[route.pool],
                metrics: metrics.route(route.name, pool: route.pool)
            )
        }
        return Snapshot(
            generation: number,
            routes: RouteTable(routes),
            pools: configuration.pools.compactMap { members[$0.name]?.pool },
            settings: configuration.gatewaySettings
        )
    }

    /// A pool that is no longer configured: its replicas drain, then its tasks end.
    private func retire(_ member: Member) {
        member.discovery.stop()
        loops[0].spawn { context in
            let parking = Parking(on: context)
            while !self.isOver && member.pool.snapshot().outstanding > 0 {
                await parking.sleep(until: context.now + .milliseconds(200))
            }
            member.life.end()
            member.pool.wakeTimekeeper()
        }
    }

    // MARK: life

    /// Binds the listeners on every loop and starts serving; calls back once, from a loop.
    package func start(then report: @escaping @Sendable (Result<Bound, StartError>) -> Void) {
        let configuration = configuration
        let listeners = configuration.listeners.map { ($0.address.host, $0.address.port) }
        let admin = (configuration.admin.address.host, configuration.admin.address.port)
        let metrics = configuration.externalMetrics.map { ($0.host, $0.port) }
        for loop in loops {
            loop.spawn { context in
                let lane = Lane(gateway: self, loop: loop, context: context)
                context.attachment = lane
                loop.spawn { context in
                    await Lane.of(context).watchResting { self.isOver }
                }
                loop.spawn { context in
                    await Lane.of(context).watch.keep { self.isOver }
                }
                await lane.upstreams.keepHouse { self.isOver }
            }
        }
        loops[0].spawn { context in
            do throws(StartError) {
                let open = try listeners.map { (address) throws(StartError) in
                    try self.reserve(address, on: context)
                }
                let own = try self.reserve(admin, on: context)
                let metrics = try metrics.map { (address) throws(StartError) in
                    try self.reserve(address, on: context)
                }
                // Only now: no process is started for a gateway that cannot listen.
                self.peers.takeName(context.network.random())
                self.apply(configuration, self.state.withLock { $0.material })
                self.serveIngresses(configuration.ingress)
                let bound = Bound(listeners: open, admin: own, externalMetrics: metrics)
                self.state.withLock { state in
                    state.facts.startedAt = context.now
                    state.facts.bound = bound
                }
                let parts = open.count * self.loops.count + (metrics == nil ? 1 : 2)
                let start = Start(bound, parts: parts, then: report)
                for loop in self.loops { self.listen(at: open, on: loop, as: start) }
                self.listenAdmin(at: own, as: start)
                if let metrics { self.listenMetrics(at: metrics, as: start) }
            } catch {
                report(.failure(error))
            }
        }
    }

    private func serveIngresses(_ settings: Configuration.Ingress?) {
        guard let settings else { return }
        let controller = IngressController(settings, for: self, on: loops[0])
        state.withLock { $0.ingress = controller }
        controller.start()
    }

    /// Makes sure that nobody else listens there, and learns the port if any would do.
    private func reserve(
        _ wanted: (host: String, port: Int),
        on context: LoopContext
    ) throws(StartError) -> Transport.Address {
        let name = "\(wanted.host):\(wanted.port)"
        guard
            let address = Transport.Address(
                wanted.host == "localhost" ? "127.0.0.1" : wanted.host,
                port: UInt16(clamping: wanted.port)
            )
        else { throw StartError(address: name, why: "not an IP address") }
        do throws(SystemError) {
            return try Socket.reserve(address, on: context)
        } catch {
            throw StartError(address: name, why: "\(error)")
        }
    }

    private func listen(at addresses: [Transport.Address], on loop: Loop, as start: Start) {
        for (address, door) in zip(addresses, doors) {
            loop.spawn { context in
                do throws(SystemError) {
                    let listener = try Socket.listening(at: address, backlog: 4096, on: context)
                    start.partIsDone()
                    await Lane.of(context).accept(
                        from: listener,
                        through: door,
                        service: Forwarding()
                    )
                } catch {
                    start.partIsDone(StartError(address: "\(address)", why: "\(error)"))
                }
            }
        }
    }

    private func listenAdmin(at address: Transport.Address, as start: Start) {
        loops[0].spawn { context in
            do throws(SystemError) {
                let listener = try Socket.listening(at: address, backlog: 128, on: context)
                start.partIsDone()
                await Lane.of(context).accept(from: listener, as: .admin, service: AdminPages())
            } catch {
                start.partIsDone(StartError(address: "\(address)", why: "\(error)"))
            }
        }
    }

    // MARK: drain

    var phase: Phase {
        Phase(rawValue: phaseNumber.load(ordering: .acquiring)) ?? .over
    }
    /// Whether `/ready` says yes.
    var isReady: Bool { phase == .running && !isAwaitingIngresses }
    /// Whether it has been told to stop.
    var isStopping: Bool { phase != .running }
    /// Whether connections end and nothing new begins.
    var isDraining: Bool { phase.rawValue >= Phase.draining.rawValue }
    /// Whether what is still in flight is cut.
    var isCutting: Bool { phase.rawValue >= Phase.cutting.rawValue }
    var isOver: Bool { phase == .over }

    /// Drains and stops; calls back once nothing is left.
    ///
    /// A second call cuts everything now.
    package func stop(then done: @escaping @Sendable () -> Void) {
        let exchanged = phaseNumber.compareExchange(
            expected: Phase.running.rawValue,
            desired: Phase.announcing.rawValue,
            ordering: .acquiringAndReleasing
        )
        guard exchanged.exchanged else {
            advance(to: .cutting)
            if let (loop, parking) = state.withLock({ $0.drain }) { loop.wake(parking) }
            return
        }
        log.info("gateway", "draining")
        loops[0].spawn { context in
            await self.drain(context)
            done()
        }
    }

    private func drain(_ context: LoopContext) async {
        let parking = Parking(on: context)
        state.withLock { $0.drain = (loops[0], parking) }
        let settings = snapshot.settings
        wakeLanes()
        await wait(until: context.now + settings.drainDelay, parking, context) { false }

        advance(to: .draining)
        wakeLanes()
        await wait(until: context.now + settings.drainGrace, parking, context) {
            connections.load(ordering: .relaxed) == 0
        }

        // Who still waits is told so; what is still in flight is cut.
        for pool in snapshot.pools { pool.stop(now: context.now) }
        advance(to: .cutting)
        wakeLanes()
        let cutBy = context.now + .seconds(2)
        while connections.load(ordering: .relaxed) > 0 && context.now < cutBy {
            await parking.sleep(until: context.now + .milliseconds(10))
        }
        await stopProcesses(parking, context)
        advance(to: .over)
        wakeLanes()
        for member in membersInOrder { member.pool.wakeTimekeeper() }
        log.info("gateway", "stopped")
    }

    /// Waits for a time or a condition, unless the drain is hurried.
    private func wait(
        until instant: Instant,
        _ parking: Parking,
        _ context: LoopContext,
        or isDone: () -> Bool
    ) async {
        while context.now < instant && !isCutting && !isDone() {
            await parking.park(until: min(instant, context.now + .milliseconds(50)))
        }
    }

    /// By name: an order that replays.
    private var membersInOrder: [Member] {
        state.withLock { $0.members }.sorted { $0.key < $1.key }.map(\.value)
    }

    private func stopProcesses(_ parking: Parking, _ context: LoopContext) async {
        let members = membersInOrder
        let left = Countdown(members.count)
        let loop = loops[0]
        for member in members {
            member.discovery.stopProcesses(within: .seconds(5)) {
                left.countDown()
                loop.wake(parking)
            }
        }
        let deadline = context.now + .seconds(8)
        while left.isCounting && context.now < deadline { await parking.park(until: deadline) }
    }

    private func advance(to phase: Phase) {
        while true {
            let current = phaseNumber.load(ordering: .acquiring)
            guard current < phase.rawValue else { return }
            if phaseNumber.compareExchange(
                expected: current,
                desired: phase.rawValue,
                ordering: .acquiringAndReleasing
            ).exchanged {
                return
            }
        }
    }

    private func wakeLanes() {
        for loop in loops {
            loop.spawn { context in
                let lane = Lane.of(context)
                lane.wakeAcceptors()
                lane.clients.wakeAll()
                lane.upstreams.wakeHousekeeping()
                lane.restingWatch.unpark()
                lane.watch.wake()
            }
        }
    }

    // MARK: connections

    /// Counts a new client connection; false when the limit is reached.
    func openConnection() -> Bool {
        if connections.add(1, ordering: .relaxed).newValue
            <= connectionsMax.load(ordering: .relaxed)
        {
            return true
        }
        closeConnection()
        return false
    }

    func closeConnection() { connections.subtract(1, ordering: .relaxed) }

    /// Client connections open now.
    package var openConnections: Int { connections.load(ordering: .relaxed) }
    /// Most client connections at once.
    var connectionLimit: Int { connectionsMax.load(ordering: .relaxed) }

    /// Counts a new connection to the admin address; false when the limit is reached.
    func openAdminConnection() -> Bool {
        let count = adminConnections.add(1, ordering: .relaxed).newValue
        if count <= Gateway.adminConnectionsMax { return true }
        closeAdminConnection()
        return false
    }

    func closeAdminConnection() { adminConnections.subtract(1, ordering: .relaxed) }

    /// Connections to the admin address open now.
    var openAdminConnections: Int { adminConnections.load(ordering: .relaxed) }
}

/// Whether a pool's tasks are to end.
private final class PoolLife: Sendable {
    private let over = Atomic<Bool>(false)
    var isOver: Bool { over.load(ordering: .acquiring) }
    func end() { over.store(true, ordering: .releasing) }
}

/// Counts to zero from any thread.
private final class Countdown: Sendable {
    private let left: Atomic<Int>
    init(_ count: Int) { left = Atomic(count) }
    var isCounting: Bool { left.load(ordering: .acquiring) > 0 }
    func countDown() { left.subtract(1, ordering: .acquiringAndReleasing) }
}
