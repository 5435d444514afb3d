import Testing

@testable import Balancing

@Suite struct `Desired replicas` {
    private func scaler(min: Int = 1, max: Int = 10) -> DesiredReplicas {
        DesiredReplicas(target: 0.5, concurrency: 4, min: min, max: max)
    }

    @Test(arguments: [(0, 1), (1, 1), (2, 1), (3, 2), (9, 5), (20, 10), (1000, 10)])
    func `are outstanding over target and concurrency, rounded up, within bounds`(
        outstanding: Int,
        desired: Int
    ) {
        var scaler = scaler()
        #expect(
            scaler.evaluate(outstanding: outstanding, current: 1, ready: 1, now: start) == desired
        )
    }

    @Test(arguments: [(36, 10), (44, 10), (45, 12), (35, 9)])
    func `stay within a tolerance of a tenth`(outstanding: Int, desired: Int) {
        var scaler = DesiredReplicas(
            target: 1,
            concurrency: 4,
            min: 1,
            max: 20,
            window: .zero
        )
        let answer = scaler.evaluate(outstanding: outstanding, current: 10, ready: 10, now: start)
        #expect(answer == desired)
    }

    @Test func `may be none when nothing is outstanding`() {
        var scaler = scaler(min: 0)
        #expect(scaler.evaluate(outstanding: 0, current: 0, ready: 0, now: start) == 0)
    }

    @Test func `come back from none with the first request`() {
        var scaler = scaler(min: 0)
        #expect(scaler.evaluate(outstanding: 1, current: 0, ready: 0, now: start) == 1)
    }

    @Test func `shrink only after the whole window was lower`() {
        var scaler = scaler()
        _ = scaler.evaluate(outstanding: 16, current: 8, ready: 8, now: start)
        let soon = start + .seconds(299)
        #expect(scaler.evaluate(outstanding: 2, current: 8, ready: 8, now: soon) == 8)
        let later = start + .seconds(300)
        #expect(scaler.evaluate(outstanding: 2, current: 8, ready: 8, now: later) == 1)
    }

    @Test func `shrink to the highest of the window`() {
        var scaler = scaler()
        _ = scaler.evaluate(outstanding: 16, current: 8, ready: 8, now: start)
        _ = scaler.evaluate(outstanding: 8, current: 8, ready: 8, now: start + .seconds(200))
        let later = start + .seconds(301)
        #expect(scaler.evaluate(outstanding: 2, current: 8, ready: 8, now: later) == 4)
    }

    @Test func `do not grow for an old recommendation`() {
        var scaler = scaler()
        _ = scaler.evaluate(outstanding: 16, current: 2, ready: 2, now: start)
        let later = start + .seconds(5)
        #expect(scaler.evaluate(outstanding: 8, current: 2, ready: 2, now: later) == 4)
    }

    @Test func `count replicas that are starting before asking for more`() {
        var scaler = scaler()
        #expect(scaler.evaluate(outstanding: 10, current: 5, ready: 2, now: start) == 5)
    }

    @Test func `grow past replicas that are starting when those are too few`() {
        var scaler = scaler()
        #expect(scaler.evaluate(outstanding: 16, current: 5, ready: 2, now: start) == 8)
    }

    @Test func `are raised to a minimum at once`() {
        var scaler = scaler(min: 3)
        #expect(scaler.evaluate(outstanding: 0, current: 1, ready: 1, now: start) == 3)
    }
}
