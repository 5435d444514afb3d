// The defaults of pools are those of the design.
import Testing

@testable import Configuration

@Suite struct `Schema of pools` {
    private let settings = Configuration.Pool(name: "a", source: .replicas([])).settings

    @Test func `serves one request at a time, where there is least to do`() {
        #expect(settings.concurrency == 1)
        #expect(settings.policy == .leastConnections)
    }

    @Test func `gives a request five minutes, thirty seconds of them in the queue`() {
        #expect(settings.timeout == .seconds(300))
        #expect(settings.queue.timeout == .seconds(30))
        #expect(settings.queue.patience == .seconds(60))
    }

    @Test func `closes idle connections before gunicorn does`() {
        #expect(settings.keepAlive < .seconds(2))
    }

    @Test func `tries at most two further replicas`() {
        #expect(settings.retries.attempts == 3)
    }

    @Test func `has processes that are not scaled`() {
        let processes = Configuration.Processes(command: ["x"])
        #expect(processes.min == 1)
        #expect(processes.max == 1)
    }
}
