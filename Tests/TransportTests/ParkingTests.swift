import Simulation
import Testing
import Transport

@Suite struct `Parking spot` {
    private let world = SimulatedWorld(seed: 1)

    /// What a task on a loop of the world has noted so far.
    private final class Notes: @unchecked Sendable {
        var texts: [String] = []
        var parking: Parking?
    }

    @Test func `ends at its deadline`() {
        let notes = Notes()
        let start = world.now
        world.makeLoop().spawn { context in
            await Parking(on: context).park(until: start + .seconds(5))
            notes.texts.append("\(context.now - start)")
        }
        #expect(world.run { !notes.texts.isEmpty })
        #expect(notes.texts == ["\(Duration.seconds(5))"])
    }

    @Test func `ends when it is woken, before its deadline`() {
        let notes = Notes()
        let loop = world.makeLoop()
        loop.spawn { context in
            let parking = Parking(on: context)
            notes.parking = parking
            await parking.park(until: context.now + .seconds(50))
            notes.texts.append("woken")
        }
        world.after(.seconds(1)) { notes.parking.map(loop.wake) }
        #expect(world.run { !notes.texts.isEmpty })
        #expect(world.elapsed < .seconds(2))
    }

    @Test func `ends at once when it was woken before it began`() {
        let notes = Notes()
        world.makeLoop().spawn { context in
            let parking = Parking(on: context)
            parking.unpark()
            parking.unpark()
            await parking.park(until: nil)
            notes.texts.append("first")
            await parking.park(until: nil)
            notes.texts.append("second")
        }
        #expect(!world.run { false })
        #expect(notes.texts == ["first"])
    }

    @Test func `waits for ever without a deadline`() {
        let notes = Notes()
        world.makeLoop().spawn { context in
            await Parking(on: context).park(until: nil)
            notes.texts.append("woken")
        }
        #expect(!world.run { false })
        #expect(notes.texts == [])
    }

    @Test func `sleeps through being woken`() {
        let notes = Notes()
        let loop = world.makeLoop()
        let wanted = world.now + .seconds(3)
        loop.spawn { context in
            let parking = Parking(on: context)
            notes.parking = parking
            await parking.sleep(until: wanted)
            notes.texts.append("\(context.now >= wanted)")
        }
        for second in 1...2 { world.after(.seconds(second)) { notes.parking.map(loop.wake) } }
        #expect(world.run { !notes.texts.isEmpty })
        #expect(notes.texts == ["true"])
    }

    @Test func `takes a shorter deadline after a longer one`() {
        let notes = Notes()
        let start = world.now
        world.makeLoop().spawn { context in
            let parking = Parking(on: context)
            for seconds in [100, 1, 50, 2] {
                parking.unpark()
                await parking.park(until: start + .seconds(100))
                await parking.park(until: context.now + .seconds(seconds))
            }
            notes.texts.append("\(context.now - start)")
        }
        #expect(world.run { !notes.texts.isEmpty })
        #expect(notes.texts == ["\(Duration.seconds(153))"])
    }
}
