// Counting without locks: cases, statuses and reasons.
import Testing

@testable import Telemetry

@Suite struct `Counters` {
    @Test func `start at zero and count per case`() {
        let counters = CounterSet<ProbeResult>(stripes: 2)
        counters.add(.failed)
        counters.add(.failed, 2, stripe: 1)
        #expect(counters.read(.failed) == 3)
        #expect(counters.read(.passed) == 0)
    }

    @Test(arguments: [-1, 7, Int.min, Int.max])
    func `take any stripe number`(stripe: Int) {
        let counters = CounterSet<ProbeResult>(stripes: 2)
        counters.add(.passed, stripe: stripe)
        #expect(counters.read(.passed) == 1)
    }
}

@Suite struct `Answer counters` {
    @Test func `know the pair 200 and ok from the start`() {
        #expect(AnswerCounters().read() == [AnswerCount(code: 200, reason: .ok, count: 0)])
    }

    @Test func `list pairs by code and reason, stripes added up`() {
        let counters = AnswerCounters(stripes: 2)
        counters.add(code: 503, reason: .stopping)
        counters.add(code: 429, reason: .queueFull, stripe: 1)
        counters.add(code: 503, reason: .noReplicas)
        counters.add(code: 429, reason: .queueFull, stripe: 0)
        #expect(
            counters.read() == [
                AnswerCount(code: 200, reason: .ok, count: 0),
                AnswerCount(code: 429, reason: .queueFull, count: 2),
                AnswerCount(code: 503, reason: .noReplicas, count: 1),
                AnswerCount(code: 503, reason: .stopping, count: 1),
            ]
        )
    }

    @Test func `tell 64 pairs apart and count the rest as other`() {
        let counters = AnswerCounters()
        for code in 201..<UInt16(999) {
            counters.add(code: code, reason: .ok)
        }
        let read = counters.read()
        #expect(read.count == 65)
        #expect(read.last == AnswerCount(code: nil, reason: .ok, count: 798 - 63))
    }

    @Test(arguments: [UInt16.min, 1, 599, UInt16.max])
    func `take any code`(code: UInt16) {
        let counters = AnswerCounters()
        counters.add(code: code, reason: .stopping)
        #expect(counters.read().contains(AnswerCount(code: code, reason: .stopping, count: 1)))
    }

    @Test func `lose nothing when threads claim the same cells at once`() async {
        let counters = AnswerCounters()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    for number in 0..<10_000 {
                        counters.add(code: UInt16(400 + number % 80), reason: .ok)
                    }
                }
            }
        }
        #expect(counters.read().reduce(0) { $0 + $1.count } == 40_000)
        #expect(Set(counters.read().map(\.code)).count == 65)
    }
}
