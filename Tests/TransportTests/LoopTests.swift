import Testing

@testable import Transport

@Suite struct `Event loop` {
    @Test func `runs what is spawned from another thread, on its own thread`() async throws {
        let names = try await onLoop { context in
            await context.yield()
            return (ThreadName.current, context.index)
        }
        #expect(names.0 == "test-loop")
        #expect(names.1 == 0)
    }

    @Test func `stays on its thread after every suspension`() async throws {
        let names = try await onLoop { context in
            var names: Set<String> = [ThreadName.current]
            let parking = Parking(on: context)
            for _ in 0..<20 {
                await context.yield()
                await parking.park(until: context.now + .microseconds(100))
                names.insert(ThreadName.current)
            }
            return names
        }
        #expect(names == ["test-loop"])
    }

    @Test func `is woken by another thread while it waits for ever`() async throws {
        let rounds = 200
        let done = try await onTwoLoops { first, second in
            await withCheckedContinuation { continuation in
                // Each loop parks without a deadline and wakes the other: a ball to and fro.
                let ball = Ball()
                for (mine, other, number) in [(first, second, 0), (second, first, 1)] {
                    mine.spawn { context in
                        let parking = Parking(on: context)
                        ball.place(parking, at: number)
                        if number == 1 { ball.wake(0, on: other) }
                        for _ in 0..<rounds {
                            await parking.park(until: nil)
                            ball.wake(1 - number, on: other)
                        }
                        if number == 0 { continuation.resume(returning: true) }
                    }
                }
            }
        }
        #expect(done)
    }

    @Test func `runs jobs in the order they were left by one thread`() async throws {
        let order = try await onTwoLoops { first, _ in
            await withCheckedContinuation { continuation in
                let list = List()
                for number in 0..<100 {
                    first.spawn { _ in
                        list.numbers.append(number)
                        if number == 99 { continuation.resume(returning: list.numbers) }
                    }
                }
            }
        }
        #expect(order == Array(0..<100))
    }

    @Test func `shows all jobs of a turn the same time`() async throws {
        let isSame = try await onLoop { context in
            let before = context.now
            await context.yield()
            return context.now == before
        }
        #expect(isSame)
    }

    @Test(.timeLimit(.minutes(1)))
    func `looks at its events although a task yields for ever`() async throws {
        let isDone = try await onTwoLoops { first, _ in
            await withCheckedContinuation { continuation in
                let list = List()
                first.spawn { context in
                    while list.numbers.isEmpty { await context.yield() }
                    continuation.resume(returning: true)
                }
                first.spawn { context in
                    await Parking(on: context).sleep(until: context.now + .milliseconds(2))
                    list.numbers.append(1)
                }
            }
        }
        #expect(isDone)
    }

    @Test func `ignores an event for a socket that is gone`() async throws {
        let open = try await onLoop { context in
            let pair = try await Pair(on: context)
            try await pair.send([1], through: pair.one, on: context)
            // The bytes are under way to a slot that a new socket has taken.
            pair.other.close()
            let next = try await Pair(on: context)
            return next.one.isOpen && next.other.isOpen && !next.other.peerClosed
        }
        #expect(open)
    }

    private func onTwoLoops<Outcome: Sendable>(
        _ body: (Loop, Loop) async -> Outcome
    ) async throws -> Outcome {
        let loops = try (0..<2).map {
            Loop(
                index: $0,
                network: try SystemNetwork(),
                bufferLimit: 8
            )
        }
        for loop in loops { loop.start(name: "loop-\(loop.executor.context.index)") }
        defer { for loop in loops { loop.stop() } }
        return await body(loops[0], loops[1])
    }

    /// Touched by one loop alone.
    private final class List: @unchecked Sendable {
        var numbers: [Int] = []
    }
}
