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

    @Test func `keep nothing for those who are gone`() {
        var timers = Timers()
        let staying = (0..<100).map { _ in Parking(on: context) }
        for (index, parking) in staying.enumerated() {
            timers.arm(parking, at: start + .seconds(100 + index))
        }
        for index in 0..<1_000 {
            let parking = Parking(on: context)
            timers.arm(parking, at: start + .seconds(75 + index))
            timers.forget(parking)
            #expect(parking.timerPlace == nil)
        }
        #expect(timers.count == 100)
        #expect(timers.next == start + .seconds(100))
        #expect(Set(staying.map(\.timerPlace)) == Set(0..<100))
    }

    /// Against a table of who is armed for when.
    @Test(arguments: 1...20)
    func `know the earliest of all who come, move and go`(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        var timers = Timers()
        let parkings = (0..<40).map { _ in Parking(on: context) }
        var armed: [Int: Instant] = [:]
        for _ in 0..<2_000 {
            let index = Int.random(in: parkings.indices, using: &chance)
            if Int.random(in: 0..<3, using: &chance) == 0 {
                timers.forget(parkings[index])
                armed[index] = nil
            } else {
                let time = start + .seconds(Int.random(in: 0..<60, using: &chance))
                timers.arm(parkings[index], at: time)
                armed[index] = min(armed[index] ?? time, time)
            }
            #expect(timers.count == armed.count)
            #expect(timers.next == armed.values.min())
            #expect(
                parkings.indices.allSatisfy {
                    (parkings[$0].timerPlace != nil) == (armed[$0] != nil)
                }
            )
        }
    }

    @Test func `hold on to who is armed, and to nobody else`() {
        weak var armed: Parking?
        weak var forgotten: Parking?
        do {
            var timers = Timers()
            let (one, other) = (Parking(on: context), Parking(on: context))
            (armed, forgotten) = (one, other)
            timers.arm(one, at: start)
            timers.arm(other, at: start)
            timers.forget(other)
            #expect(timers.count == 1)
        }
        #expect(armed == nil)
        #expect(forgotten == nil)
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
