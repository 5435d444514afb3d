import Testing

@testable import Balancing

@Suite struct `Peak EWMA` {
    private func table(_ latencies: [Int?], inFlight: [Int]? = nil) -> [ReplicaLoad] {
        var table = loads(inFlight ?? [Int](repeating: 0, count: latencies.count))
        for (index, latency) in latencies.enumerated() {
            if let latency {
                table[index].latency.observe(.milliseconds(latency), now: origin)
            }
        }
        return table
    }

    @Test func `picks the quickest`() {
        let table = table([30, 10, 20])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: origin) == 1)
    }

    @Test func `counts what is in flight`() {
        let table = table([30, 10], inFlight: [0, 3])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: origin) == 0)
    }

    @Test func `tries an unmeasured replica first`() {
        let table = table([10, nil])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: origin) == 1)
    }

    @Test func `gives an unmeasured replica one request to begin with`() {
        let table = table([10, nil], inFlight: [5, 1])
        #expect(PeakEWMA.pick(from: table.span, startingAt: 0, now: origin) == 0)
    }

    @Test func `jumps to a peak at once`() {
        var latency = PeakLatency()
        latency.observe(.milliseconds(10), now: origin)
        latency.observe(.seconds(2), now: origin + .seconds(1))
        #expect(latency.seconds(at: origin + .seconds(1)) ?? 0 >= 1.99)
    }

    @Test(arguments: [(0, 1.0), (7, 0.5), (14, 0.25), (70, 0.000_976_562_5)])
    func `halves every seven seconds`(second: Int, share: Double) {
        var latency = PeakLatency()
        latency.observe(.seconds(8), now: origin)
        #expect(latency.seconds(at: origin + .seconds(second)) == 8 * share)
    }

    @Test func `never rises while it fades, however long`() {
        var latency = PeakLatency()
        latency.observe(.seconds(300), now: origin)
        let values = (0..<200).compactMap { latency.seconds(at: origin + .seconds($0 * $0)) }
        #expect(values.count == 200 && zip(values, values.dropFirst()).allSatisfy { $0 >= $1 })
    }

    @Test func `comes down slowly`() {
        var latency = PeakLatency()
        latency.observe(.seconds(2), now: origin)
        latency.observe(.milliseconds(10), now: origin + .seconds(1))
        #expect(latency.seconds(at: origin + .seconds(1)) ?? 0 > 1.5)
    }

    @Test func `tries a replica again whose peak is long past`() {
        var table = table([2000])
        table += loads([0])
        table[1].latency.observe(.milliseconds(100), now: origin + .seconds(600))
        let later = origin + .seconds(600)
        #expect(PeakEWMA.pick(from: table.span, startingAt: 1, now: later) == 0)
    }

    @Test func `is not flattered by a request that failed quickly`() {
        var latency = PeakLatency()
        latency.observe(.seconds(1), now: origin)
        latency.observeAtLeast(.milliseconds(1), now: origin)
        #expect(latency.seconds(at: origin) ?? 0 >= 0.99)
    }

    @Test func `is raised by a request that timed out`() {
        var latency = PeakLatency()
        latency.observe(.seconds(1), now: origin)
        latency.observeAtLeast(.seconds(9), now: origin)
        #expect(latency.seconds(at: origin) ?? 0 >= 8.9)
    }
}
