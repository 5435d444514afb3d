// The supervisor's thread: one turn takes the requests, does what the plan says, and waits for
// output, ends and time.
import Glibc

/// What the supervisor's thread owns.
///
/// Everything here belongs to that thread, which must outlive the processes: they are killed with
/// it.
struct Supervision: ~Copyable {
    /// Between two shares of output.
    static let tick = Duration.milliseconds(100)
    /// Between two looks at a group whose end no descriptor tells.
    static let look = Duration.milliseconds(50)
    /// Between two looks for ended grandchildren, which are ours to collect as process 1.
    static let collectEvery = Duration.seconds(5)
    /// How long a killed group may take to vanish before it is killed again.
    static let vanishTimeout = Duration.seconds(1)
    static let killsMax = 3
    /// Pause before a guard is started anew.
    static let guardPause = Duration.seconds(1)

    private let supervisor: ProcessSupervisor
    private let isProcessOne: Bool
    private let callbacks: ProcessSupervisor.Callbacks
    private var plan: ProcessPlan
    private var children: [ChildProcess] = []
    private var vanishing: [Vanishing] = []
    private var ports: Set<Int> = []
    private var published: [ReplicaProcess] = []
    private var processGuard: ProcessGuard?
    private var hadGuard = false
    private var guardAt = Duration.zero
    private var tickAt = Duration.zero
    private var collectAt = Duration.zero
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)

    /// Runs until everything has stopped.
    static func run(
        for supervisor: ProcessSupervisor,
        options: ProcessOptions,
        callbacks: ProcessSupervisor.Callbacks
    ) {
        var supervision = Supervision(supervisor, options, callbacks)
        while !supervision.isDone {
            supervision.turn()
        }
        supervision.end()
    }

    private init(
        _ supervisor: ProcessSupervisor,
        _ options: ProcessOptions,
        _ callbacks: ProcessSupervisor.Callbacks
    ) {
        self.supervisor = supervisor
        self.callbacks = callbacks
        plan = ProcessPlan(options: options)
        isProcessOne = System.processID() == 1
    }

    private var isDone: Bool {
        plan.isDone && children.isEmpty && vanishing.isEmpty
    }

    private mutating func turn() {
        keepGuard(now: System.now())
        takeRequests(now: System.now())
        perform(plan.advance(to: System.now()))
        publish()
        releasePorts()
        if !isDone {
            wait()
        }
    }

    // MARK: Doing what the plan says

    private mutating func takeRequests(now: Duration) {
        let requests = supervisor.takeRequests()
        if let (min, max) = requests.bounds {
            perform(plan.setBounds(min: min, max: max, now: now))
        }
        if let desired = requests.desired {
            perform(plan.setDesired(desired, now: now))
        }
        // Draining is announced before "drained" can be said, so publish first.
        publish()
        for port in requests.drained {
            perform(plan.drained(port: port, now: now))
        }
        for port in requests.restart {
            perform(plan.restart(port: port, now: now))
        }
        if let time = requests.stopWithin {
            perform(plan.stopAll(within: time, now: now))
        }
    }

    private mutating func perform(_ effects: ProcessEffects) {
        for number in effects.drain {
            if let child = child(number) {
                callbacks.onEvent(.draining(replica: child.name, pid: child.pid))
            }
        }
        for number in effects.terminate {
            if let child = child(number) {
                callbacks.onEvent(.stopping(replica: child.name, pid: child.pid))
                child.signal(SIGTERM)
            }
        }
        for number in effects.kill {
            if let child = child(number) {
                callbacks.onEvent(.killed(replica: child.name, pid: child.pid))
                child.signal(SIGKILL)
            }
        }
        for number in effects.start {
            start(number)
        }
    }

    private mutating func start(_ number: Int) {
        guard let slot = plan.slot(number) else {
            return
        }
        let now = System.now()
        do throws(ProcessError) {
            let port = try port(for: slot)
            plan.assigned(number, port: port)
            let child = try spawn(slot, port: port, now: now)
            children.append(child)
            plan.started(number, pid: child.pid, now: now)
            callbacks.onEvent(.started(replica: child.name, pid: child.pid, port: port))
        } catch {
            let pause = plan.startFailed(number, now: now)
            let name = plan.name(of: number)
            callbacks.onEvent(.startFailed(replica: name, error: error, retryIn: pause))
        }
    }

    private mutating func spawn(
        _ slot: ProcessPlan.Slot,
        port: Int,
        now: Duration
    ) throws(ProcessError) -> ChildProcess {
        guard let processGuard else {
            throw .system(call: "reaching the guard", code: EPIPE)
        }
        do throws(ProcessError) {
            return try ChildProcess(
                slot: slot,
                port: port,
                options: plan.options,
                guardedBy: processGuard,
                now: now
            )
        } catch {
            if case .system(_, EPIPE) = error {
                // The guard has ended, and this kernel did not tell.
                self.processGuard = nil
            }
            throw error
        }
    }

    /// The slot's port of last time, so that the replica stays the same to everybody, or a new one.
    private mutating func port(for slot: ProcessPlan.Slot) throws(ProcessError) -> Int {
        if let port = slot.port, System.isFree(port: port) {
            return port
        }
        let seed = System.now().attoseconds / 1_000_000_000_000 + Int128(System.processID())
        let port = try Ports.shared.take(seed: UInt64(truncatingIfNeeded: seed))
        ports.insert(port)
        return port
    }

    private mutating func releasePorts() {
        let kept = Set(plan.slots.compactMap(\.port)).union(vanishing.map(\.child.port))
            .union(children.map(\.port))
        for port in ports.subtracting(kept) {
            ports.remove(port)
            Ports.shared.release(port)
        }
    }

    private mutating func publish() {
        let current = plan.published
        if current != published {
            published = current
            callbacks.onChange(current)
        }
    }

    private func child(_ number: Int) -> ChildProcess? {
        children.first { $0.number == number }
    }

    // MARK: Waiting

    private mutating func wait() {
        var interests = [Interest(supervisor.wakeDescriptor)]
        if let ended = processGuard?.endedDescriptor {
            interests.append(Interest(ended))
        }
        let guards = 1..<interests.count
        interests += children.filter { $0.status == nil }
            .compactMap { $0.endedDescriptor.map { Interest($0) } }
        let ends = guards.upperBound..<interests.count
        let reading = children.filter { $0.outputToRead != nil }
        interests += reading.compactMap { $0.outputToRead.map { Interest($0) } }
        let outputs = ends.upperBound..<interests.count

        System.wait(for: &interests, atMost: timeToNextEvent)

        let now = System.now()
        if interests[guards].contains(where: \.isReady), let processGuard {
            _ = System.reap(processGuard.pid)
            self.processGuard = nil
        }
        for (child, output) in zip(reading, interests[outputs]) where output.isReady {
            read(child, now: now)
        }
        if now >= tickAt {
            tickAt = now + Self.tick
            children.forEach { $0.renewAllowance() }
        }
        collect(someEnded: interests[ends].contains(where: \.isReady), now: now)
    }

    /// How long nothing is due; nil for ever.
    private var timeToNextEvent: Duration? {
        let now = System.now()
        var next = plan.nextEvent
        func at(_ instant: Duration) {
            next = min(instant, next ?? instant)
        }
        if processGuard == nil {
            at(guardAt)
        }
        if children.contains(where: \.isHeldBack) {
            at(tickAt)
        }
        let isWatchless = children.contains { $0.status != nil || $0.endedDescriptor == nil }
        if isWatchless || !vanishing.isEmpty {
            at(now + Self.look)
        }
        if isProcessOne, !children.isEmpty {
            at(collectAt)
        }
        return next.map { max(.zero, $0 - now) }
    }

    private mutating func read(_ child: ChildProcess, now: Duration) {
        let before = child.linesLeftOut
        child.readOutput(into: &buffer, now: now, emit: callbacks.onLog)
        supervisor.countLeftOut(child.linesLeftOut - before)
    }

    // MARK: Ends

    private mutating func collect(someEnded: Bool, now: Duration) {
        for child in children {
            if someEnded || child.endedDescriptor == nil || now >= collectAt {
                child.reap()
            }
            if child.status != nil {
                settle(child, now: now)
            }
        }
        if now >= collectAt {
            collectAt = now + Self.collectEvery
        }
        vanishing = vanishing.compactMap { entry in
            var entry = entry
            entry.child.reap()
            if entry.child.isGone {
                processGuard?.forget(group: entry.child.pid)
                return nil
            }
            if now >= entry.killAt {
                entry.child.signal(SIGKILL)
                entry.killAt = now + Self.vanishTimeout
                entry.kills += 1
            }
            // Stuck in the kernel: the guard still knows the group.
            return entry.kills < Self.killsMax ? entry : nil
        }
    }

    /// A process has ended; others of its group may still be there.
    private mutating func settle(_ child: ChildProcess, now: Duration) {
        if !child.isGone {
            if case .stopping(_, isKilled: false, _) = plan.slot(child.number)?.phase {
                // They have as long as the process itself to stop in peace.
                return
            }
            child.signal(SIGKILL)
            let killAt = now + Self.vanishTimeout
            vanishing.append(Vanishing(child: child, killAt: killAt))
        } else {
            processGuard?.forget(group: child.pid)
        }
        let before = child.linesLeftOut
        child.finishOutput(into: &buffer, now: now, emit: callbacks.onLog)
        supervisor.countLeftOut(child.linesLeftOut - before)
        children.removeAll { $0 === child }

        let wasRunning = plan.slot(child.number)?.phase == .running
        let pause = plan.ended(child.number, now: now)
        let how = child.status?.description ?? "ended"
        if wasRunning, let pause {
            callbacks.onEvent(
                .exited(
                    replica: child.name,
                    pid: child.pid,
                    how: how,
                    after: now - child.startedAt,
                    restartIn: pause
                )
            )
        } else {
            callbacks.onEvent(.stopped(replica: child.name, pid: child.pid, how: how))
        }
    }

    // MARK: The guard

    private mutating func keepGuard(now: Duration) {
        guard processGuard == nil, now >= guardAt else {
            return
        }
        guardAt = now + Self.guardPause
        do throws(ProcessError) {
            let made = try ProcessGuard()
            for child in children + vanishing.map(\.child) {
                made.add(group: child.pid)
            }
            processGuard = made
            supervisor.guardPID = made.pid
            if hadGuard {
                callbacks.onEvent(.guardReplaced(pid: made.pid))
            }
            hadGuard = true
        } catch {
            callbacks.onEvent(.guardFailed(error: error))
        }
    }

    private mutating func end() {
        releasePorts()
        processGuard?.end()
        processGuard = nil
    }

    /// A killed group that is not gone yet.
    private struct Vanishing {
        let child: ChildProcess
        var killAt: Duration
        var kills = 1
    }
}
