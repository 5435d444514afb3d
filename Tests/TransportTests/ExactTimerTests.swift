import Testing
import Transport

@Suite struct `Exact timer` {
    @Test func `does not fire before its time`() async throws {
        let early = try await onLoop { context in
            let parking = Parking(on: context)
            let timer = try ExactTimer(resuming: parking, on: context)
            let time = context.exactNow + .microseconds(1500)
            timer.set(at: time)
            while context.now < time { await parking.park(until: nil) }
            return context.exactNow < time
        }
        #expect(!early)
    }

    @Test func `fires at once for a time that has passed`() async throws {
        let fired = try await onLoop { context in
            let parking = Parking(on: context)
            let timer = try ExactTimer(resuming: parking, on: context)
            timer.set(at: context.now - .seconds(1_000_000_000))
            await parking.park(until: nil)
            return true
        }
        #expect(fired)
    }

    @Test func `forgets an earlier setting`() async throws {
        let passed = try await onLoop { context in
            let parking = Parking(on: context)
            let timer = try ExactTimer(resuming: parking, on: context)
            let start = context.exactNow
            timer.set(at: start + .seconds(3600))
            timer.set(at: start + .milliseconds(1))
            while context.now < start + .milliseconds(1) { await parking.park(until: nil) }
            return context.now - start
        }
        #expect(passed < .seconds(3600))
    }
}
