// A world that replays from one number: its clock, its happenings, and the loops that live in it.
//
// Everything runs on the thread that calls `run`. Each step, chosen by the seed, is one turn of one
// loop or one happening; when no loop has anything to do, the clock jumps to what comes next.

import Transport

/// The clock, the virtual kernel and the driver of one simulated world.
///
/// `@unchecked Sendable`: confined to the thread that runs it (see `SimulatedNetwork`).
package final class SimulatedWorld: @unchecked Sendable {
    /// 2026-01-01T00:00:00Z, the wall clock at the start of every world.
    static let wallStart: Int64 = 1_767_225_600_000_000_000

    package let seed: UInt64
    /// How the network behaves; may be changed while the world runs.
    package var conditions: Conditions
    /// Chance for whoever builds the world's actors.
    package var chance: SeededGenerator
    package private(set) var trace = Trace()
    /// What must never happen, and did.
    package private(set) var violations: [String] = []
    /// Called after every step: cheap checks of what must always hold.
    package var afterStep: [() -> Void] = []
    package private(set) var steps = 0
    /// Turns in which jobs ran: only they, and actions, change what the gateway counts.
    package private(set) var busyTurns = 0

    private(set) var nanoseconds: Int64 = 1_000_000_000
    private var agenda = Agenda()
    private var order: SeededGenerator
    var wire: SeededGenerator
    var kernel = VirtualKernel()
    private var inhabitants: [(loop: Loop, network: SimulatedNetwork)] = []
    /// Actors live as long as their world.
    private var actors: [AnyObject] = []
    /// Which loops may have something to do.
    private var awake: [Int] = []
    private var turnsInARow = 0
    /// Turns that cost about a second of the world's time.
    private static let turnsInARowMax = 100_000

    package init(seed: UInt64, conditions: Conditions = .kind) {
        self.seed = seed
        self.conditions = conditions
        var root = SeededGenerator(seed: seed)
        order = root.split()
        wire = root.split()
        chance = root.split()
    }

    deinit {
        // Actors and their sockets hold each other until they are closed.
        for socket in kernel.sockets.values { socket.owner = .nobody }
    }

    /// The world's clock.
    package var now: Instant { Instant(nanoseconds: nanoseconds) }
    /// Time since the world began.
    package var elapsed: Duration { .nanoseconds(nanoseconds - 1_000_000_000) }

    /// A network for a loop that is attached later.
    package func makeNetwork() -> SimulatedNetwork {
        let network = SimulatedNetwork(
            world: self,
            index: kernel.networks.count,
            generator: wire.split()
        )
        kernel.networks.append(network)
        return network
    }

    /// Lets a loop live in this world.
    package func attach(_ loop: Loop, on network: SimulatedNetwork) {
        // What is spawned before the world runs must not overtake what is spawned while it runs.
        loop.adopt()
        inhabitants.append((loop, network))
        awake.append(inhabitants.count - 1)
    }

    /// A new loop that lives in this world.
    package func makeLoop(bufferLimit: Int = 4_096) -> Loop {
        let network = makeNetwork()
        let loop = Loop(
            index: network.index,
            network: network,
            bufferLimit: bufferLimit
        )
        attach(loop, on: network)
        return loop
    }

    /// Lets an actor act after some time.
    package func after(_ delay: Duration, _ action: @escaping () -> Void) {
        add(.action(action), at: nanoseconds + max(0, delay.nanoseconds))
    }

    /// Lets an actor live as long as the world, to which it keeps no strong reference.
    func keep(_ actor: AnyObject) { actors.append(actor) }

    /// Tells what happened, when the trace is printed.
    package func say(_ text: @autoclosure () -> String) {
        if trace.isPrinted { print("\t", elapsed, text()) }
    }

    /// Writes down what must never happen.
    package func violate(_ text: String) {
        guard violations.count < 100 else { return }
        violations.append("\(elapsed): \(text)")
    }

    /// Runs until `isDone`, but no longer than `limit` of the world's time; whether it was done.
    ///
    /// The calling thread becomes that of all loops. Also ends when nothing can happen any more.
    package func run(
        within limit: Duration = .seconds(86_400),
        until isDone: () -> Bool = { false }
    ) -> Bool {
        let end = nanoseconds + limit.nanoseconds
        for inhabitant in inhabitants { inhabitant.loop.adopt() }
        awake = Array(inhabitants.indices)
        while !isDone() {
            guard nanoseconds < end, step(before: end) else { return isDone() }
            steps += 1
            for check in afterStep { check() }
        }
        return true
    }

    /// One turn, one happening or one jump; false when nothing is left to happen before `end`.
    private func step(before end: Int64) -> Bool {
        let isDue = agenda.next.map { $0 <= nanoseconds } ?? false
        if inhabitants.contains(where: { $0.network.takeInterrupt() }) {
            awake = Array(inhabitants.indices)
        }
        if !awake.isEmpty && !(isDue && order.chance(0.5)) {
            turn()
            turnsInARow += 1
            guard turnsInARow < SimulatedWorld.turnsInARowMax else {
                violate("the loops spin: \(turnsInARow) turns and nothing else happened")
                return false
            }
            return true
        }
        if isDue {
            turnsInARow = 0
            happen(agenda.removeFirst())
            return true
        }
        return jump(before: end)
    }

    /// Turns one loop that may have something to do.
    private func turn() {
        let place = order.number(in: 0...awake.count - 1)
        let (loop, network) = inhabitants[awake[place]]
        let timerIsDue = loop.nextTimer.map { $0 <= now } ?? false
        let ran = loop.turn()
        note(.turn, Int64(network.index), ran ? 1 : 0)
        if ran || timerIsDue || network.delivered > 0 || network.hasReady {
            // What ran may have left work for any loop.
            awake = Array(inhabitants.indices)
        } else {
            awake.remove(at: place)
        }
        // Work takes time: a turn costs 1 to 20 µs.
        guard ran else { return }
        nanoseconds += Int64(order.number(in: 1_000...20_000))
        busyTurns += 1
    }

    private func jump(before end: Int64) -> Bool {
        var target = agenda.next
        for inhabitant in inhabitants {
            guard let timer = inhabitant.loop.nextTimer else { continue }
            target = min(target ?? timer.nanoseconds, timer.nanoseconds)
        }
        guard var target else { return false }
        target += order.duration(in: conditions.lateness).nanoseconds
        target = min(target, end)
        if target > nanoseconds {
            nanoseconds = target
            turnsInARow = 0
        }
        note(.jump, 0)
        awake = Array(inhabitants.indices)
        return true
    }

    func add(_ happening: Happening, at time: Int64) { agenda.add(happening, at: time) }

    func note(_ kind: Trace.Kind, _ one: Int64, _ other: Int64 = 0) {
        trace.note(kind, at: nanoseconds, one, other)
    }

    /// The loop of a network has something to look at.
    func rouse(_ network: SimulatedNetwork) {
        guard let index = inhabitants.firstIndex(where: { $0.network === network }),
            !awake.contains(index)
        else { return }
        awake.append(index)
    }

    private func happen(_ happening: Happening) {
        switch happening {
        case .segment(let pipe, let count): arrive(count, through: pipe)
        case .finish(let pipe): arriveFinish(through: pipe)
        case .cut(let pipe): arriveCut(through: pipe)
        case .knock(let socket, let address, let tries): knock(socket, at: address, tries: tries)
        case .settled(let socket, let error): settle(socket, error: error)
        case .poke(let socket): poke(socket)
        case .action(let action):
            note(.action, 0)
            action()
            // An action may have spawned or woken tasks on any loop.
            awake = Array(inhabitants.indices)
        }
    }
}
