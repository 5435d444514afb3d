import Testing

@testable import Balancing

@Suite struct `Pool options` {
    @Test(arguments: [(0, 64), (1, 64), (7, 70), (100, 1000), (500, 5000), (1_000_000, 5000)])
    func `allow ten waiters a slot by default, within bounds`(slots: Int, limit: Int) {
        #expect(QueueOptions().limit(slots: slots) == limit)
    }

    @Test func `take a queue limit as it is set`() {
        #expect(QueueOptions(limit: 3).limit(slots: 100) == 3)
    }

    @Test func `have the defaults of the design`() {
        let options = PoolOptions()
        #expect(options.queue.timeout == .seconds(30))
        #expect(options.queue.patience == .seconds(60))
        #expect(options.queue.bytes == 268_435_456)
        #expect(options.slowStart == .seconds(30))
        #expect(options.health.interval == .seconds(5))
        #expect(options.health.rise == 2 && options.health.fall == 3)
        #expect(options.outliers.consecutive == 5)
        #expect(options.outliers.base == .seconds(10) && options.outliers.max == .seconds(300))
        #expect(options.retry.budgetRatio == 0.2 && options.retry.perSecond == 3)
        #expect(options.policy == .leastConnections)
    }
}
