// Which processes of a pool should run, start, drain or stop now: the decisions of the supervisor,
// without a process or a clock.
//
//                 start                  ended by itself
//      waiting ──────────────► running ─────────────────► waiting (after a pause)
//         ▲  │                  │    ▲
//         │  │ no longer wanted │    │ wanted again
//         │  ▼                  ▼    │
//         │ gone             draining
//         │  ▲                  │ drained, or too long
//         │  │ ended            ▼
//         └──┴────────────── stopping ◄──── restart, stop
//    (restart only)
//
// Invariants: never more slots than `max`; a number or a port belongs to one slot at a time.
// Owned by the supervisor's thread.

/// What the supervisor has to do, in this order.
struct ProcessEffects: Equatable {
    /// Slots whose process group gets SIGKILL.
    var kill: [Int] = []
    /// Slots whose process group gets SIGTERM.
    var terminate: [Int] = []
    /// Slots that began to drain.
    var drain: [Int] = []
    /// Slots whose process is to be started.
    var start: [Int] = []
}

/// The slots of a pool's processes and what becomes of each.
struct ProcessPlan {
    /// A place for one process.
    struct Slot: Equatable {
        /// 1 or more, unique among the slots there are.
        let number: Int
        /// The port of the last start, kept for the next one.
        var port: Int?
        var pid: Int32 = 0
        var phase: Phase
        var startedAt: Duration = .zero
        /// Starts that succeeded.
        var starts = 0
        /// The pause before the last restart; zero when there was none.
        var pause: Duration = .zero
    }

    enum Phase: Equatable {
        case waiting(until: Duration)
        case running
        case draining(until: Duration)
        case stopping(killAt: Duration, isKilled: Bool, startsAgain: Bool)
    }

    private(set) var options: ProcessOptions
    /// Oldest first.
    private(set) var slots: [Slot] = []
    private(set) var desired: Int
    private(set) var isStopping = false

    /// Plans for `options.min` processes; `advance` then names the first to start.
    init(options: ProcessOptions) {
        self.options = options
        desired = options.min
    }

    // MARK: Events

    /// Wants `count` processes, as far as the bounds allow.
    mutating func setDesired(_ count: Int, now: Duration) -> ProcessEffects {
        desired = min(max(count, options.min), options.max)
        return advance(to: now)
    }

    /// Changes the bounds; `setDesired` may follow.
    mutating func setBounds(min: Int, max: Int, now: Duration) -> ProcessEffects {
        let bounded = ProcessOptions(
            name: options.name,
            command: options.command,
            min: min,
            max: max
        )
        options.min = bounded.min
        options.max = bounded.max
        return setDesired(desired, now: now)
    }

    /// A slot's next process will listen on `port`.
    mutating func assigned(_ number: Int, port: Int) {
        update(number) { $0.port = port }
    }

    /// A process was started, after `assigned`.
    mutating func started(_ number: Int, pid: Int32, now: Duration) {
        update(number) { slot in
            slot.pid = pid
            slot.phase = .running
            slot.startedAt = now
            slot.starts += 1
        }
    }

    /// A process could not be started.
    ///
    /// - Returns: The pause until the next try.
    mutating func startFailed(_ number: Int, now: Duration) -> Duration {
        pauseBeforeRestart(number, ranFor: .zero, now: now)
    }

    /// A process and its group are gone.
    ///
    /// - Returns: The pause until it starts again; nil if it does not.
    mutating func ended(_ number: Int, now: Duration) -> Duration? {
        guard let slot = slot(number) else {
            return nil
        }
        switch slot.phase {
        case .running:
            return pauseBeforeRestart(number, ranFor: now - slot.startedAt, now: now)
        case .stopping(_, _, startsAgain: true):
            update(number) { $0.phase = .waiting(until: now) }
            return .zero
        case .waiting, .draining, .stopping:
            slots.removeAll { $0.number == number }
            return nil
        }
    }

    /// The gateway has no more work in flight at a draining process.
    mutating func drained(port: Int, now: Duration) -> ProcessEffects {
        var effects = ProcessEffects()
        for slot in slots where slot.port == port {
            if case .draining = slot.phase {
                stop(slot.number, killAt: now + options.stopTimeout, into: &effects)
            }
        }
        return effects
    }

    /// Stops a running process and starts it again.
    mutating func restart(port: Int, now: Duration) -> ProcessEffects {
        var effects = ProcessEffects()
        for slot in slots where slot.port == port && slot.phase == .running {
            let killAt = now + options.stopTimeout
            stop(slot.number, killAt: killAt, startsAgain: true, into: &effects)
        }
        return effects
    }

    /// Stops everything; nothing is started any more.
    ///
    /// May be called again with less time.
    mutating func stopAll(within time: Duration, now: Duration) -> ProcessEffects {
        isStopping = true
        var effects = ProcessEffects()
        slots.removeAll { slot in
            if case .waiting = slot.phase { true } else { false }
        }
        for slot in slots {
            if case .stopping(let killAt, let isKilled, _) = slot.phase {
                let phase = Phase.stopping(
                    killAt: min(killAt, now + time),
                    isKilled: isKilled,
                    startsAgain: false
                )
                update(slot.number) { $0.phase = phase }
            } else {
                stop(slot.number, killAt: now + time, into: &effects)
            }
        }
        let due = advance(to: now)
        effects.kill += due.kill
        return effects
    }

    /// Everything that is due by `now`.
    mutating func advance(to now: Duration) -> ProcessEffects {
        var effects = ProcessEffects()
        if !isStopping {
            shrink(now: now, into: &effects)
            grow(now: now)
        }
        for slot in slots {
            switch slot.phase {
            case .waiting(let until) where until <= now:
                effects.start.append(slot.number)
            case .draining(let until) where until <= now:
                stop(slot.number, killAt: now + options.stopTimeout, into: &effects)
            case .stopping(let killAt, isKilled: false, let startsAgain) where killAt <= now:
                effects.kill.append(slot.number)
                let phase = Phase.stopping(
                    killAt: killAt,
                    isKilled: true,
                    startsAgain: startsAgain
                )
                update(slot.number) { $0.phase = phase }
            case .waiting, .running, .draining, .stopping:
                continue
            }
        }
        return effects
    }

    // MARK: What is

    /// When `advance` must be called at the latest.
    var nextEvent: Duration? {
        slots.compactMap { slot in
            switch slot.phase {
            case .waiting(let until), .draining(let until): until
            case .stopping(let killAt, isKilled: false, _): killAt
            case .running, .stopping: nil
            }
        }.min()
    }

    /// Whether everything has stopped for good.
    var isDone: Bool {
        isStopping && slots.isEmpty
    }

    /// The replicas the gateway should know of: those that run or will run again.
    var published: [ReplicaProcess] {
        slots.compactMap { slot in
            guard let port = slot.port, slot.starts > 0, !isStopping else {
                return nil
            }
            let state: ReplicaProcess.State
            switch slot.phase {
            case .running: state = .running
            case .waiting, .stopping(_, _, startsAgain: true): state = .restarting
            case .draining, .stopping: return nil
            }
            return ReplicaProcess(
                name: name(of: slot.number),
                endpoint: "127.0.0.1:\(port)",
                pid: slot.pid,
                state: state,
                restarts: slot.starts - 1
            )
        }
    }

    func slot(_ number: Int) -> Slot? {
        slots.first { $0.number == number }
    }

    func name(of number: Int) -> String {
        "\(options.name)-\(number)"
    }

    // MARK: Growing and shrinking

    /// Sets aside the newest slots that are too many.
    private mutating func shrink(now: Duration, into effects: inout ProcessEffects) {
        for slot in slots.reversed() where wanted > desired {
            switch slot.phase {
            case .waiting:
                slots.removeAll { $0.number == slot.number }
            case .running:
                let until = now + options.drainTimeout
                update(slot.number) { $0.phase = .draining(until: until) }
                effects.drain.append(slot.number)
            case .stopping(let killAt, let isKilled, startsAgain: true):
                let phase = Phase.stopping(
                    killAt: killAt,
                    isKilled: isKilled,
                    startsAgain: false
                )
                update(slot.number) { $0.phase = phase }
            case .draining, .stopping:
                continue
            }
        }
    }

    /// Takes back draining slots, oldest first, then adds new ones while there is room.
    private mutating func grow(now: Duration) {
        for slot in slots where wanted < desired {
            if case .draining = slot.phase {
                update(slot.number) { $0.phase = .running }
            }
        }
        while wanted < desired, slots.count < options.max {
            let taken = Set(slots.map(\.number))
            // A free number exists among the first count + 1.
            let number = (1...slots.count + 1).first { !taken.contains($0) } ?? slots.count + 1
            slots.append(Slot(number: number, phase: .waiting(until: now)))
        }
    }

    /// Slots that run or will run.
    private var wanted: Int {
        slots.count { slot in
            switch slot.phase {
            case .waiting, .running, .stopping(_, _, startsAgain: true): true
            case .draining, .stopping: false
            }
        }
    }

    private mutating func stop(
        _ number: Int,
        killAt: Duration,
        startsAgain: Bool = false,
        into effects: inout ProcessEffects
    ) {
        effects.terminate.append(number)
        update(number) {
            $0.phase = .stopping(killAt: killAt, isKilled: false, startsAgain: startsAgain)
        }
    }

    private mutating func pauseBeforeRestart(
        _ number: Int,
        ranFor time: Duration,
        now: Duration
    ) -> Duration {
        let previous = slot(number)?.pause ?? .zero
        let isFirst = previous == .zero || time >= options.backoffReset
        let pause = isFirst ? options.backoffMin : min(previous * 2, options.backoffMax)
        update(number) { slot in
            slot.pause = pause
            slot.phase = .waiting(until: now + pause)
        }
        return pause
    }

    private mutating func update(_ number: Int, _ change: (inout Slot) -> Void) {
        guard let index = slots.firstIndex(where: { $0.number == number }) else {
            preconditionFailure("no slot \(number) among \(slots.map(\.number))")
        }
        change(&slots[index])
    }
}
