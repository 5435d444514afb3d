import Simulation
import Testing

@testable import Transport

@Suite struct `Timers of a loop` {
    private let world = SimulatedWorld(seed: 1)
    private let context: LoopContext
    private var start: Instant { Instant(nanoseconds: 0) }

    init() {
        context = LoopContext(
            index: 0,
            network: world.makeNetwork(),
            bufferLimit: 1
        )
    }

    @Test func `know the earliest`() {
        var timers = Timers()
        for offset in [5, 3, 9, 1, 7] {
            timers.arm(Parking(on: context), at: start + .seconds(offset))
        }
        #expect(timers.next == start + .seconds(1))
        #expect(timers.count == 5)
    }

    @Test func `do not arm again what is armed for an earlier time`() {
        var timers = Timers()
        let parking = Parking(on: context)
        timers.arm(parking, at: start + .seconds(1))
        timers.arm(parking, at: start + .seconds(9))
        #expect(timers.count == 1)
    }

    @Test func `look earlier when a deadline moves forward`() {
        var timers = Timers()
        let parking = Parking(on: context)
        timers.arm(parking, at: start + .seconds(9))
        timers.arm(parking, at: start + .seconds(1))
        #expect(timers.next == start + .seconds(1))
    }

    @Test func `do not pile up for those who are gone`() {
        var timers = Timers()
        let staying = (0..<100).map { _ in Parking(on: context) }
        for (index, parking) in staying.enumerated() {
            timers.arm(parking, at: start + .seconds(100 + index))
        }
        for index in 0..<100_000 {
            let parking = Parking(on: context)
            timers.arm(parking, at: start + .seconds(75 + index))
            timers.forget(parking)
        }
        #expect(timers.count < 3_000)
        #expect(timers.next.map { $0 <= start + .seconds(100) } == true)
        #expect(staying.allSatisfy { $0.armed != nil })
    }

    @Test func `forget only what is armed`() {
        var timers = Timers()
        let parking = Parking(on: context)
        timers.forget(parking)
        timers.arm(parking, at: start)
        timers.forget(parking)
        #expect(timers.popDue(by: start + .seconds(1)) == nil)
        #expect(timers.count == 0)
    }

    @Test func `wake nobody who does not wait`() {
        var timers = Timers()
        timers.arm(Parking(on: context), at: start)
        #expect(timers.popDue(by: start + .seconds(1)) == nil)
        #expect(timers.count == 0)
    }

    /// Tasks wait until given instants, and others wake or move them; who woke when is noted.
    @Test(arguments: 1...20)
    func `wake each sleeper at its instant, in any order of arming`(seed: UInt64) {
        let world = SimulatedWorld(seed: seed)
        let loop = world.makeLoop()
        let log = Log()
        for _ in 0..<50 {
            let wanted = world.now + world.chance.duration(in: .zero...(.seconds(5)))
            world.after(world.chance.duration(in: .zero...(.seconds(6)))) {
                loop.spawn { context in
                    let parking = Parking(on: context)
                    let start = context.now
                    // A deadline that moves: first far away, then woken, then the true one.
                    parking.unpark()
                    await parking.park(until: wanted + .seconds(30))
                    await parking.sleep(until: wanted)
                    log.late.append(context.now - max(wanted, start))
                }
            }
        }
        #expect(world.run { log.late.count == 50 })
        #expect(log.late.allSatisfy { $0 >= .zero && $0 < .milliseconds(3) })
    }

    /// Written on the loops of a world, which share the test's thread.
    private final class Log: @unchecked Sendable {
        var late: [Duration] = []
    }
}
