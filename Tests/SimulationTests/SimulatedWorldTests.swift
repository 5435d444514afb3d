import Simulation
import Testing
import Transport

@Suite struct `Simulated world` {
    static let text = (0..<50_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }

    /// An echo on two loops, and some callers.
    private static func run(seed: UInt64) -> (world: SimulatedWorld, callers: [EchoCaller]) {
        var generator = SeededGenerator(seed: seed)
        let world = SimulatedWorld(seed: seed, conditions: .random(using: &generator))
        for _ in 0..<2 { Echo.start(on: world.makeLoop()) }
        var callers: [EchoCaller] = []
        for number in 1...4 {
            world.after(.milliseconds(number * 3)) {
                callers.append(EchoCaller(text, in: world, number: UInt8(number)))
            }
        }
        _ = world.run(within: .seconds(60)) {
            callers.count == 4 && callers.allSatisfy { $0.hasEnded }
        }
        return (world, callers)
    }

    @Test(arguments: 1...20)
    func `carries every byte through any network`(seed: UInt64) {
        let (world, callers) = Self.run(seed: seed)
        #expect(callers.count == 4 && callers.allSatisfy { $0.returned == Self.text })
        #expect(world.violations == [])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `replays exactly from its seed`(seed: UInt64) {
        let first = Self.run(seed: seed).world.trace
        let second = Self.run(seed: seed).world.trace
        #expect(first.count > 100)
        #expect(first.hash == second.hash)
    }

    @Test func `differs between seeds`() {
        #expect(Self.run(seed: 1).world.trace.hash != Self.run(seed: 2).world.trace.hash)
    }

    @Test func `jumps its clock over what nobody waits for`() {
        let world = SimulatedWorld(seed: 1)
        var at: Duration?
        world.after(.seconds(3_600)) { at = world.elapsed }
        #expect(world.run { at != nil })
        #expect(at == .seconds(3_600))
        #expect(world.steps < 10)
    }

    @Test func `ends when nothing can happen any more`() {
        let world = SimulatedWorld(seed: 1)
        Echo.start(on: world.makeLoop())
        #expect(!world.run { false })
    }

    @Test func `wakes a sleeper at its instant`() {
        let world = SimulatedWorld(seed: 1)
        let loop = world.makeLoop()
        let wanted = world.now + .milliseconds(250)
        let woken = Woken()
        loop.spawn { context in
            await Parking(on: context).sleep(until: wanted)
            woken.at = context.now
        }
        #expect(world.run { woken.at != nil })
        #expect(woken.at == wanted)
    }

    @Test func `shows a task started after a long pause the time of its start`() {
        let world = SimulatedWorld(seed: 1)
        let loop = world.makeLoop()
        let seen = Woken()
        world.after(.seconds(100)) { loop.spawn { context in seen.at = context.now } }
        #expect(world.run { seen.at != nil })
        #expect(seen.at.map { $0 >= Instant(nanoseconds: 0) + .seconds(101) } == true)
    }

    @Test func `notices a loop that spins`() {
        let world = SimulatedWorld(seed: 1)
        world.makeLoop().spawn { context in
            let parking = Parking(on: context)
            while true { await parking.park(until: context.now) }
        }
        #expect(!world.run { false })
        #expect(world.violations.count == 1)
    }

    /// Written on the loop, read by the test on the same thread.
    private final class Woken: @unchecked Sendable {
        var at: Instant?
    }
}
