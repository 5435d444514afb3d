// Where a pool's replicas come from: the file, a name's addresses, the endpoints of a Service, or
// processes of our own.

internal import Balancing
internal import Processes
internal import Synchronization
internal import Telemetry
internal import Transport

/// What a pool's replicas are to be.
enum ReplicaListing: Sendable, Equatable {
    struct Item: Sendable, Equatable {
        var spec: ReplicaSpec
        var host: String
        var port: UInt16
    }

    /// Written in the file. Host names among them are looked up again and again.
    case fixed([Item])
    /// Every address of a name.
    case dns(name: String, port: UInt16, every: Duration)
    /// Processes that the gateway starts itself.
    case processes(ProcessOptions, ScalingOptions)
    /// The ready endpoints of a Service.
    case kubernetes(ServiceSource)
}

/// How the number of a pool's processes follows its load.
struct ScalingOptions: Sendable, Equatable {
    var target = 1.0
    var tolerance = 0.1
    var interval = Duration.seconds(2)
    var window = Duration.seconds(300)
    var concurrency = 1
}

/// Keeps one pool's replicas in line with their source.
final class Discovery: Sendable {
    let pool: Pool
    private let prober: Prober
    let gateway: Gateway
    let loop: Loop
    private let state = Mutex(State())
    /// How often host names in a fixed list are looked up again.
    private static let lookupInterval = Duration.seconds(5)
    /// A name that has vanished is believed after so many answers in a row.
    private static let notFoundMax = 3

    private struct State {
        var listing: ReplicaListing?
        /// Which `use` the running task belongs to.
        var epoch = 0
        var parking: Parking?
        var processes: ProcessPool?
    }

    init(pool: Pool, prober: Prober, gateway: Gateway, loop: Loop) {
        self.pool = pool
        self.prober = prober
        self.gateway = gateway
        self.loop = loop
    }

    /// Follows another listing from now on; the same one again changes nothing.
    func use(_ listing: ReplicaListing) {
        let (epoch, waiting, processes) = state.withLock { state in
            guard state.listing != listing else {
                return (nil as Int?, nil as Parking?, nil as ProcessPool?)
            }
            state.listing = listing
            state.epoch += 1
            return (state.epoch, state.parking, state.processes)
        }
        guard let epoch else { return }
        if let waiting { loop.wake(waiting) }
        if case .processes(let options, let scaling) = listing {
            if processes?.change(to: options, scaling) != true {
                processes?.retire()
                startProcesses(options, scaling)
            }
            return
        }
        processes?.retire()
        state.withLock { $0.processes = nil }
        loop.spawn { context in await self.follow(listing, epoch, context) }
    }

    private func follow(_ listing: ReplicaListing, _ epoch: Int, _ context: LoopContext) async {
        let parking = Parking(on: context)
        state.withLock { $0.parking = parking }
        switch listing {
        case .fixed(let items): await follow(items, epoch, parking, context)
        case .dns(let name, let port, let every):
            await follow(name, port, every: every, epoch, parking, context)
        case .kubernetes(let source): await follow(source, epoch, parking, context)
        case .processes: break
        }
    }

    /// The pool is gone from the configuration: its replicas drain.
    func stop() {
        let (parking, processes) = state.withLock { state in
            state.epoch += 1
            state.listing = nil
            defer { state.processes = nil }
            return (state.parking, state.processes)
        }
        if let parking { loop.wake(parking) }
        processes?.retire()
        loop.spawn { context in _ = self.pool.setReplicas([], now: context.now) }
    }

    /// Ends the processes of this pool, at the latest after `time`; calls back once they are gone.
    func stopProcesses(within time: Duration, then: @escaping @Sendable () -> Void) {
        guard let processes = state.withLock({ $0.processes }) else {
            then()
            return
        }
        processes.stop(within: time, then: then)
    }

    func isCurrent(_ epoch: Int) -> Bool {
        !gateway.isDraining && state.withLock { $0.epoch == epoch }
    }

    func list(_ wanted: [(ReplicaSpec, Address)], now: Instant) {
        for endpoint in pool.setReplicas(wanted, now: now) { prober.start(endpoint, on: loop) }
    }

    // MARK: names

    private func follow(
        _ items: [ReplicaListing.Item],
        _ epoch: Int,
        _ parking: Parking,
        _ context: LoopContext
    ) async {
        var known: [String: Address] = [:]
        while isCurrent(epoch) {
            var isNumeric = true
            for item in items {
                if let address = Address(item.host, port: item.port) {
                    known[item.spec.endpoint] = address
                    continue
                }
                isNumeric = false
                switch await resolve(item.host, item.port, parking, context) {
                case .addresses(let addresses):
                    // Several addresses of one written endpoint: the first stands for it.
                    let old = known[item.spec.endpoint]
                    if old.map(addresses.contains) != true {
                        known[item.spec.endpoint] = addresses.first
                    }
                case .notFound: complain(item.host, "has no address")
                case .failed(let why): complain(item.host, why)
                }
            }
            guard isCurrent(epoch) else { return }
            list(
                items.compactMap { item in known[item.spec.endpoint].map { (item.spec, $0) } },
                now: context.now
            )
            if isNumeric { return }
            await sleep(Discovery.lookupInterval, epoch, parking, context)
        }
    }

    private func follow(
        _ name: String,
        _ port: UInt16,
        every: Duration,
        _ epoch: Int,
        _ parking: Parking,
        _ context: LoopContext
    ) async {
        var notFound = 0
        while isCurrent(epoch) {
            let resolution = await resolve(name, port, parking, context)
            guard isCurrent(epoch) else { return }
            switch resolution {
            case .addresses(let addresses):
                notFound = 0
                list(
                    addresses.map { (ReplicaSpec(endpoint: $0.description), $0) },
                    now: context.now
                )
            case .notFound:
                notFound += 1
                complain(name, "has no address")
                if notFound >= Discovery.notFoundMax { list([], now: context.now) }
            case .failed(let why):
                complain(name, why)
            }
            await sleep(every, epoch, parking, context)
        }
    }

    private func complain(_ name: String, _ why: String) {
        gateway.log.warning("pool.\(pool.name)", "\(name): \(why); the last known replicas stay")
    }

    private func sleep(
        _ duration: Duration,
        _ epoch: Int,
        _ parking: Parking,
        _ context: LoopContext
    ) async {
        let until = context.now + duration
        while context.now < until && isCurrent(epoch) { await parking.park(until: until) }
    }

    private func resolve(
        _ name: String,
        _ port: UInt16,
        _ parking: Parking,
        _ context: LoopContext
    ) async -> Resolution {
        let box = ResolutionBox()
        gateway.resolver(name, port) { resolution in
            box.answer.withLock { $0 = resolution }
            self.loop.wake(parking)
        }
        while true {
            if let resolution = box.answer.withLock({ $0 }) { return resolution }
            await parking.park(until: nil)
        }
    }

    // MARK: processes

    private func startProcesses(_ options: ProcessOptions, _ scaling: ScalingOptions) {
        let processes = ProcessPool(
            pool: pool,
            prober: prober,
            gateway: gateway,
            loop: loop
        )
        state.withLock { $0.processes = processes }
        processes.start(options, scaling)
    }
}

/// Where a resolver thread leaves its answer.
private final class ResolutionBox: Sendable {
    let answer = Mutex<Resolution?>(nil)
}
