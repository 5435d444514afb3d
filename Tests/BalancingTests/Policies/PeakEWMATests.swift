import Testing

@testable import Balancing

@Suite struct `Peak EWMA` {
    private func table(_ latencies: [Int?], inFlight: [Int]? = nil) -> [ReplicaLoad] {
        var table = loads(inFlight ?? [Int](repeating: 0, count: latencies.count))
        for (index, latency) in latencies.enumerated() {
            if let latency {
                table[index].latency.observe(.milliseconds(latency), now: start)
            }
        }
        return table
    }

    @Test func `picks the quickest`() {
        let table = table([30, 10, 20])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: start) == 1)
    }

    @Test func `counts what is in flight`() {
        let table = table([30, 10], inFlight: [0, 3])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: start) == 0)
    }

    @Test func `tries an unmeasured replica first`() {
        let table = table([10, nil])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: start) == 1)
    }

    @Test func `gives an unmeasured replica one request to begin with`() {
        let table = table([10, nil], inFlight: [5, 1])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: start) == 0)
    }

    @Test func `jumps to a peak at once`() {
        var latency = PeakLatency()
        latency.observe(.milliseconds(10), now: start)
        latency.observe(.seconds(2), now: start + .seconds(1))
        #expect(latency.seconds(at: start + .seconds(1)) ?? 0 >= 1.99)
    }

    @Test(arguments: [(0, 1.0), (7, 0.5), (14, 0.25), (70, 0.000_976_562_5)])
    func `halves every seven seconds`(second: Int, share: Double) {
        var latency = PeakLatency()
        latency.observe(.seconds(8), now: start)
        #expect(latency.seconds(at: start + .seconds(second)) == 8 * share)
    }

    @Test func `never rises while it fades, however long`() {
        var latency = PeakLatency()
        latency.observe(.seconds(300), now: start)
        let values = (0..<200).compactMap { latency.seconds(at: start + .seconds($0 * $0)) }
        #expect(values.count == 200 && zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func `comes down slowly`() {
        var latency = PeakLatency()
        latency.observe(.seconds(2), now: start)
        latency.observe(.milliseconds(10), now: start + .seconds(1))
        #expect(latency.seconds(at: start + .seconds(1)) ?? 0 > 1.5)
    }

    @Test func `tries a replica again whose peak is long past`() {
        var table = table([2000])
        table += loads([0])
        table[1].latency.observe(.milliseconds(100), now: start + .seconds(600))
        let later = start + .seconds(600)
        #expect(PeakEWMA.pick(from: table.span, startingAt: 1, now: later) == 0)
    }

    @Test func `is not flattered by a request that failed quickly`() {
        var latency = PeakLatency()
        latency.observe(.seconds(1), now: start)
        latency.observeAtLeast(.milliseconds(1), now: start)
        #expect(latency.seconds(at: start) ?? 0 >= 0.99)
    }

    @Test func `is raised by a request that timed out`() {
        var latency = PeakLatency()
        latency.observe(.seconds(1), now: start)
        latency.observeAtLeast(.seconds(9), now: start)
        #expect(latency.seconds(at: start) ?? 0 >= 8.9)
    }
}
