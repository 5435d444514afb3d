import Testing

@testable import Kubernetes

@Suite struct `Back-off` {
    @Test func `doubles up to half a minute`() {
        var backoff = Backoff()
        let pauses = (0..<9).map { _ in backoff.failed(random: .max) }
        let seconds = pauses.map { pause in
            (Double(pause.components.seconds) + Double(pause.components.attoseconds) / 1e18)
                .rounded(.toNearestOrEven)
        }
        #expect(seconds == [0, 1, 2, 4, 8, 16, 30, 30, 30])
        #expect(pauses[0] > .milliseconds(499))
        #expect(backoff.failures == 9)
    }

    @Test func `is shortened by chance to no less than half`() {
        for random: UInt64 in [0, 1, 1 << 40, 1 << 63, .max] {
            var backoff = Backoff()
            let pause = backoff.failed(random: random)
            #expect(pause >= .milliseconds(250) && pause <= .milliseconds(500))
        }
    }

    @Test func `begins anew after a success`() {
        var backoff = Backoff()
        for _ in 0..<5 { _ = backoff.failed(random: 0) }
        backoff.succeeded()
        #expect(backoff.failed(random: 0) == .milliseconds(250))
    }
}
