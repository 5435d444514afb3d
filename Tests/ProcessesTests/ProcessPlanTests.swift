// The decisions about a pool's processes, event by event.
import Testing

@testable import Processes

@Suite struct `Process plan` {
    private let start = Duration.seconds(100)

    @Test func `starts the fewest processes at once`() {
        var plan = Self.plan(min: 2, max: 4)
        #expect(plan.advance(to: start) == ProcessEffects(start: [1, 2]))
    }

    @Test func `grows at once, up to the most`() {
        var plan = Self.running(2, max: 4, at: start)
        #expect(plan.setDesired(9, now: start) == ProcessEffects(start: [3, 4]))
        #expect(plan.desired == 4)
    }

    @Test func `shrinks the newest first, down to the fewest`() {
        var plan = Self.running(4, min: 2, at: start)
        #expect(plan.setDesired(0, now: start) == ProcessEffects(drain: [4, 3]))
        #expect(plan.published.map(\.name) == ["sales-1", "sales-2"])
    }

    @Test func `lets a process go that does not run when it is too many`() {
        var plan = Self.running(2, at: start)
        _ = plan.ended(2, now: start)
        #expect(plan.setDesired(1, now: start) == ProcessEffects())
        #expect(plan.slots.map(\.number) == [1])
    }

    @Test func `terminates a draining process once it is drained`() {
        var plan = Self.running(2, at: start)
        _ = plan.setDesired(1, now: start)
        #expect(plan.drained(port: 20_002, now: start) == ProcessEffects(terminate: [2]))
        #expect(plan.drained(port: 20_002, now: start) == ProcessEffects())
    }

    @Test func `does not take the drain of a running process for serious`() {
        var plan = Self.running(2, at: start)
        #expect(plan.drained(port: 20_001, now: start) == ProcessEffects())
    }

    @Test func `terminates a draining process that takes too long, then kills it, once`() {
        var plan = Self.running(2, at: start)
        _ = plan.setDesired(1, now: start)
        #expect(plan.nextEvent == start + .seconds(20))
        #expect(plan.advance(to: start + .seconds(19)) == ProcessEffects())
        #expect(plan.advance(to: start + .seconds(20)) == ProcessEffects(terminate: [2]))
        #expect(plan.nextEvent == start + .seconds(30))
        #expect(plan.advance(to: start + .seconds(30)) == ProcessEffects(kill: [2]))
        #expect(plan.advance(to: start + .seconds(99)) == ProcessEffects())
    }

    @Test func `takes a draining process back instead of starting one`() {
        var plan = Self.running(3, at: start)
        _ = plan.setDesired(1, now: start)
        #expect(plan.setDesired(2, now: start) == ProcessEffects())
        #expect(plan.published.map(\.name) == ["sales-1", "sales-2"])
    }

    @Test func `never has more than the most, those that stop included`() {
        var plan = Self.running(2, max: 2, at: start)
        _ = plan.setDesired(1, now: start)
        _ = plan.drained(port: 20_002, now: start)
        #expect(plan.setDesired(2, now: start) == ProcessEffects())
        #expect(plan.ended(2, now: start) == nil)
        #expect(plan.advance(to: start) == ProcessEffects(start: [2]))
    }

    @Test func `uses the smallest free number again`() {
        var plan = Self.running(3, at: start)
        _ = plan.setDesired(2, now: start)
        _ = plan.drained(port: 20_003, now: start)
        _ = plan.ended(3, now: start)
        #expect(plan.setDesired(3, now: start) == ProcessEffects(start: [3]))
    }

    @Test func `doubles the pause before each restart up to the longest`() {
        var plan = Self.running(1, at: start)
        let pauses = (0..<8).map { _ in
            let pause = plan.ended(1, now: start)
            plan.started(1, pid: 1, now: start)
            return pause
        }
        #expect(
            pauses
                == [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].map {
                    Duration.milliseconds($0)
                }
        )
    }

    @Test func `starts over with the first pause after a good run`() {
        var plan = Self.running(1, at: start)
        _ = plan.ended(1, now: start)
        plan.started(1, pid: 1, now: start)
        _ = plan.ended(1, now: start)
        plan.started(1, pid: 1, now: start)
        #expect(plan.ended(1, now: start + .seconds(30)) == .milliseconds(500))
    }

    @Test func `pauses after a failed start as after an early end`() {
        var plan = Self.plan(min: 1, max: 1)
        _ = plan.advance(to: start)
        #expect(plan.startFailed(1, now: start) == .milliseconds(500))
        #expect(plan.startFailed(1, now: start) == .seconds(1))
        #expect(plan.advance(to: start) == ProcessEffects())
        #expect(plan.nextEvent == start + .seconds(1))
        #expect(plan.advance(to: start + .seconds(1)) == ProcessEffects(start: [1]))
    }

    @Test func `keeps a replica in the list, at its endpoint, while it restarts`() {
        var plan = Self.running(1, at: start)
        _ = plan.ended(1, now: start)
        #expect(plan.published.map(\.state) == [.restarting])
        #expect(plan.published.map(\.endpoint) == ["127.0.0.1:20001"])
        plan.started(1, pid: 7, now: start)
        #expect(plan.published.map(\.state) == [.running])
        #expect(plan.published.map(\.restarts) == [1])
    }

    @Test func `does not list a process that never started`() {
        var plan = Self.plan(min: 1, max: 1)
        _ = plan.advance(to: start)
        plan.assigned(1, port: 20_001)
        _ = plan.startFailed(1, now: start)
        #expect(plan.published.isEmpty)
    }

    @Test func `restarts on demand without a pause`() {
        var plan = Self.running(2, at: start)
        #expect(plan.restart(port: 20_001, now: start) == ProcessEffects(terminate: [1]))
        #expect(plan.published.map(\.state) == [.restarting, .running])
        #expect(plan.advance(to: start + .seconds(10)) == ProcessEffects(kill: [1]))
        #expect(plan.ended(1, now: start) == .zero)
        #expect(plan.advance(to: start) == ProcessEffects(start: [1]))
    }

    @Test func `does not start again what became too many while it restarted`() {
        var plan = Self.running(2, at: start)
        _ = plan.restart(port: 20_002, now: start)
        #expect(plan.setDesired(1, now: start) == ProcessEffects())
        #expect(plan.published.map(\.name) == ["sales-1"])
        #expect(plan.ended(2, now: start) == nil)
        #expect(plan.advance(to: start) == ProcessEffects())
    }

    @Test func `lets a draining process end by itself`() {
        var plan = Self.running(2, at: start)
        _ = plan.setDesired(1, now: start)
        #expect(plan.ended(2, now: start) == nil)
        #expect(plan.slots.map(\.number) == [1])
    }

    @Test func `stops everything in whatever state it is`() {
        var plan = Self.running(4, at: start)
        _ = plan.ended(1, now: start)
        _ = plan.restart(port: 20_002, now: start)
        _ = plan.setDesired(3, now: start)
        let effects = plan.stopAll(within: .seconds(3), now: start)
        #expect(effects == ProcessEffects(terminate: [3, 4]))
        #expect(plan.published.isEmpty)
        #expect(plan.slots.map(\.number) == [2, 3, 4])
        #expect(plan.advance(to: start + .seconds(3)) == ProcessEffects(kill: [2, 3, 4]))
        for number in [2, 3, 4] {
            #expect(!plan.isDone)
            #expect(plan.ended(number, now: start) == nil)
        }
        #expect(plan.isDone)
    }

    @Test func `stops faster when asked again`() {
        var plan = Self.running(1, at: start)
        _ = plan.stopAll(within: .seconds(30), now: start)
        #expect(plan.stopAll(within: .zero, now: start) == ProcessEffects(kill: [1]))
        #expect(plan.stopAll(within: .seconds(30), now: start) == ProcessEffects())
    }

    @Test func `starts nothing any more while it stops`() {
        var plan = Self.running(1, max: 5, at: start)
        _ = plan.stopAll(within: .seconds(30), now: start)
        #expect(plan.setDesired(5, now: start) == ProcessEffects())
        #expect(plan.ended(1, now: start) == nil)
        #expect(plan.isDone)
    }

    @Test func `follows its bounds when they change`() {
        var plan = Self.running(3, min: 1, max: 4, at: start)
        #expect(plan.setBounds(min: 0, max: 2, now: start) == ProcessEffects(drain: [3]))
        #expect(plan.setBounds(min: 5, max: 5, now: start) == ProcessEffects(start: [4, 5]))
        #expect(plan.published.count == 3)
    }

    @Test func `has nothing to wait for while all is well`() {
        #expect(Self.running(3, at: start).nextEvent == nil)
    }

    @Test(arguments: UInt64(1)...8)
    func `keeps its promises in a random world`(seed: UInt64) {
        var world = RandomWorld(seed: seed)
        for _ in 0..<1_000 {
            world.step()
        }
        world.stop()
        #expect(world.plan.isDone)
        #expect(world.broken.isEmpty)
    }

    static func plan(min: Int, max: Int) -> ProcessPlan {
        ProcessPlan(options: ProcessOptions(name: "sales", command: ["x"], min: min, max: max))
    }

    /// A plan with `count` running processes, numbers from 1, ports from 20001.
    static func running(_ count: Int, min: Int = 0, max: Int? = nil, at now: Duration)
        -> ProcessPlan
    {
        var plan = plan(min: min, max: max ?? count)
        _ = plan.setDesired(count, now: now)
        for number in 1...count {
            plan.assigned(number, port: 20_000 + number)
            plan.started(number, pid: Int32(number), now: now)
        }
        return plan
    }
}

/// Random events, and after each the invariants.
private struct RandomWorld {
    var plan = `Process plan`.plan(min: 1, max: 6)
    /// Promises that were not kept, with the time.
    private(set) var broken: [String] = []
    private var random: Generator
    private var now = Duration.zero
    private var alive: Set<Int> = []
    private var terminated: Set<Int> = []

    init(seed: UInt64) {
        random = Generator(state: seed)
    }

    mutating func step() {
        now += .milliseconds(Int.random(in: 0...4_000, using: &random))
        let port = 20_000 + Int.random(in: 1...6, using: &random)
        switch Int.random(in: 0..<7, using: &random) {
        case 0: perform(plan.setDesired(Int.random(in: 0...8, using: &random), now: now))
        case 1: perform(plan.drained(port: port, now: now))
        case 2: perform(plan.restart(port: port, now: now))
        case 3, 4:
            if let number = alive.randomElement(using: &random) {
                end(number)
            }
        case 5:
            let min = Int.random(in: 0...3, using: &random)
            perform(plan.setBounds(min: min, max: 6, now: now))
        default: break
        }
        perform(plan.advance(to: now))
        check()
    }

    mutating func stop() {
        perform(plan.stopAll(within: .seconds(1), now: now))
        now += .seconds(1)
        perform(plan.advance(to: now))
        promise(alive.isSubset(of: terminated), "all are told to stop")
        for number in alive {
            end(number)
        }
    }

    private mutating func end(_ number: Int) {
        alive.remove(number)
        terminated.remove(number)
        _ = plan.ended(number, now: now)
    }

    private mutating func perform(_ effects: ProcessEffects) {
        promise(Set(effects.start).isDisjoint(with: alive), "a slot has one process")
        let touched = Set(effects.terminate + effects.drain)
        promise(touched.isSubset(of: alive), "only what runs is stopped")
        let polite = terminated.union(effects.terminate)
        promise(polite.isSuperset(of: effects.kill), "SIGTERM comes before SIGKILL")
        terminated.formUnion(effects.terminate)
        for number in effects.start {
            if Bool.random(using: &random) {
                plan.assigned(number, port: 20_000 + number)
                plan.started(number, pid: Int32(number), now: now)
                alive.insert(number)
            } else {
                _ = plan.startFailed(number, now: now)
            }
        }
    }

    private mutating func check() {
        let numbers = plan.slots.map(\.number)
        promise(numbers.count <= 6, "never more than the most")
        promise(Set(numbers).count == numbers.count, "numbers are unique")
        promise(alive.isSubset(of: numbers), "no process is forgotten")
        promise(plan.published.count <= plan.desired, "no more replicas than wanted")
        promise(plan.nextEvent.map { $0 > now } ?? true, "what is due was done")
    }

    private mutating func promise(_ isKept: Bool, _ words: String) {
        if !isKept {
            broken.append("\(words), at \(now)")
        }
    }

    /// SplitMix64.
    private struct Generator: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
            return mixed ^ (mixed >> 31)
        }
    }
}
