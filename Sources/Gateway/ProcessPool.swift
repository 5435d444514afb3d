// The local processes behind one pool: their replicas, and their number as the load asks for it.

internal import Balancing
internal import Processes
internal import Synchronization
internal import Telemetry
internal import Transport

/// Connects a process supervisor with a pool, and scales it.
final class ProcessPool: Sendable {
    private let pool: Pool
    private let prober: Prober
    private let gateway: Gateway
    private let loop: Loop
    private let state = Mutex(State())

    private struct State {
        var supervisor: ProcessSupervisor?
        var options: ProcessOptions?
        var scaling = ScalingOptions()
        var count = 0
        var isRetired = false
        var parking: Parking?
    }

    init(pool: Pool, prober: Prober, gateway: Gateway, loop: Loop) {
        self.pool = pool
        self.prober = prober
        self.gateway = gateway
        self.loop = loop
    }

    /// Starts the processes and the task that scales them.
    func start(_ options: ProcessOptions, _ scaling: ScalingOptions) {
        do throws(ProcessError) {
            let supervisor = try ProcessSupervisor(
                options,
                callbacks: ProcessSupervisor.Callbacks(
                    onChange: { [self] in list($0) },
                    onLog: { [gateway] line in gateway.processOutput(line) },
                    onEvent: { [self] in report($0) }
                )
            )
            state.withLock { $0.supervisor = supervisor }
            pool.whenRemoved { endpoint in supervisor.drained(endpoint) }
            try supervisor.start()
            // Only now: options that did not start are tried again by the next reload.
            state.withLock { state in
                state.options = options
                state.scaling = scaling
            }
        } catch {
            gateway.log.error("pool.\(pool.name)", "cannot start processes: \(error)")
            return
        }
        loop.spawn { context in await self.scale(context) }
    }

    /// Takes other bounds; false when the change needs other processes.
    func change(to options: ProcessOptions, _ scaling: ScalingOptions) -> Bool {
        let supervisor = state.withLock { state -> ProcessSupervisor? in
            guard var same = state.options else { return nil }
            same.min = options.min
            same.max = options.max
            guard same == options else { return nil }
            state.options = options
            state.scaling = scaling
            return state.supervisor
        }
        guard let supervisor else { return false }
        supervisor.setBounds(min: options.min, max: options.max)
        return true
    }

    /// Others have taken their place: they end once their work is done.
    func retire() {
        let (supervisor, options, parking) = state.withLock { state in
            state.isRetired = true
            return (state.supervisor, state.options, state.parking)
        }
        if let parking { loop.wake(parking) }
        supervisor?.setBounds(min: 0, max: 0)
        supervisor?.setDesired(0)
        let grace = (options?.drainTimeout ?? .zero) + (options?.stopTimeout ?? .zero)
        loop.spawn { context in
            // By then every one has drained or been stopped; this ends the supervisor itself.
            await Parking(on: context).sleep(until: context.now + grace + .seconds(1))
            supervisor?.stop(within: .seconds(1))
        }
    }

    /// Ends them now: SIGTERM, and SIGKILL after `time`.
    func stop(within time: Duration, then: @escaping @Sendable () -> Void) {
        guard let supervisor = state.withLock({ $0.supervisor }) else {
            then()
            return
        }
        supervisor.stop(within: time, then: then)
    }

    private func list(_ processes: [ReplicaProcess]) {
        state.withLock { $0.count = processes.count }
        let wanted = processes.compactMap { process in
            Address(process.endpoint).map { (ReplicaSpec(endpoint: process.endpoint), $0) }
        }
        loop.spawn { context in
            guard !self.state.withLock({ $0.isRetired }) else { return }
            for endpoint in self.pool.setReplicas(wanted, now: context.now) {
                self.prober.start(endpoint, on: self.loop)
            }
        }
    }

    private func report(_ event: ProcessEvent) {
        if event.isProblem {
            gateway.log.warning("pool.\(pool.name)", event.description)
        } else {
            gateway.log.info("pool.\(pool.name)", event.description)
        }
    }

    /// Decides again and again how many there should be.
    private func scale(_ context: LoopContext) async {
        let parking = Parking(on: context)
        state.withLock { $0.parking = parking }
        var decider: DesiredReplicas?
        var decidedFor: (ProcessOptions, ScalingOptions)?
        while !gateway.isDraining {
            let (options, scaling, supervisor, count, isOver) = state.withLock { state in
                (state.options, state.scaling, state.supervisor, state.count, state.isRetired)
            }
            guard let options, let supervisor, !isOver else { return }
            if decidedFor.map({ $0 == (options, scaling) }) != true {
                decidedFor = (options, scaling)
                decider = DesiredReplicas(
                    target: scaling.target,
                    concurrency: scaling.concurrency,
                    min: options.min,
                    max: options.max,
                    tolerance: scaling.tolerance,
                    window: scaling.window
                )
            }
            let gauges = pool.snapshot()
            let ready = gauges.replicas.filter { $0.limitNow > 0 || $0.inFlight > 0 }.count
            if let desired = decider?.evaluate(
                outstanding: gauges.outstanding,
                current: count,
                ready: ready,
                now: context.now.moment
            ) {
                pool.noteDesired(desired)
                supervisor.setDesired(desired)
            }
            await parking.park(until: context.now + scaling.interval)
        }
    }
}
