// Buckets, sums and concurrency of the latency histogram.
import Testing

@testable import Telemetry

@Suite struct `A histogram` {
    @Test(arguments: Histogram.Scale.allCases)
    func `has bounds in text and in ticks that mean the same`(scale: Histogram.Scale) throws {
        let bounds = scale.boundsTicks
        #expect(scale.boundsText.count == bounds.count)
        for (index, text) in scale.boundsText.enumerated() {
            let seconds = try #require(Double(text))
            let ticks = seconds * 1_000 * Double(Histogram.ticksPerMillisecond)
            #expect(abs(ticks - Double(bounds[index])) <= 0.5, "\(text)")
            // What the choice of the bucket rests on.
            #expect(index == 0 || bounds[index] >= 2 * bounds[index - 1])
        }
    }

    @Test func `reaches from where requests and work begin to where they end`() {
        let (requests, work) = (Histogram.Scale.requests, Histogram.Scale.work)
        #expect(requests.boundsText.first == "0.001" && requests.boundsText.last == "240")
        #expect(work.boundsText.first == "0.00005" && work.boundsText.last == "10")
    }

    @Test(
        arguments: Histogram.Scale.allCases,
        Array(Histogram.Scale.requests.boundsText.indices)
    )
    func `counts a bound in its own bucket and a nanosecond more in the next`(
        scale: Histogram.Scale,
        index: Int
    ) throws {
        let seconds = try #require(Double(scale.boundsText[index]))
        let bound = Duration.microseconds(Int((seconds * 1_000_000).rounded()))
        let histogram = Histogram(scale)
        histogram.observe(bound)
        histogram.observe(bound + .nanoseconds(1))

        let counts = histogram.read().counts
        #expect(counts[index] == 1)
        #expect(counts[index + 1] == 1)
    }

    @Test(arguments: [
        (Duration.zero, 0), (.nanoseconds(1), 0), (.nanoseconds(-5), 0), (.microseconds(1_500), 1),
        (.seconds(241), 17), (.seconds(1 << 40), 17), (.seconds(Int64.max), 17),
    ])
    func `has a bucket for every duration`(duration: Duration, bucket: Int) {
        let histogram = Histogram()
        histogram.observe(duration)
        #expect(histogram.read().counts.firstIndex(of: 1) == bucket)
    }

    @Test func `sums to within a microsecond per observation`() {
        let histogram = Histogram()
        for _ in 0..<1_000 {
            histogram.observe(.microseconds(1_234))
        }
        #expect(abs(histogram.read().sumSeconds - 1.234) < 0.001)
    }

    @Test func `rounds its sum up as often as down`() {
        let histogram = Histogram()
        for nanoseconds in 0..<10_000 {
            histogram.observe(.nanoseconds(nanoseconds))
        }
        let exact = 9_999.0 * 10_000 / 2 / 1e9
        #expect(abs(histogram.read().sumSeconds - exact) < exact / 100)
    }

    @Test(arguments: [0, 1, 3, 4, 1_000, -1, Int.min])
    func `takes any stripe number`(stripe: Int) {
        let histogram = Histogram(stripes: 3)
        histogram.observe(.milliseconds(3), stripe: stripe)
        #expect(histogram.read().count == 1)
    }

    @Test(arguments: [1, 4])
    func `loses nothing when many threads observe`(stripes: Int) async {
        let histogram = Histogram(stripes: stripes)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for number in 0..<10_000 {
                        histogram.observe(.milliseconds(number % 400), stripe: thread)
                    }
                }
            }
        }
        #expect(histogram.read().count == 40_000)
    }
}
