import Testing

@testable import Configuration

@Suite struct `Annotations` {
    private func annotate(
        _ annotations: [String: String]
    ) -> (Configuration.PoolSettings, Configuration.Route, [String]) {
        var settings = Configuration.PoolSettings()
        var route = Configuration.Route(name: "r", pool: "p")
        let problems = Configuration.annotate(&settings, &route, with: annotations)
        return (settings, route, problems)
    }

    @Test func `set what they say, and nothing else`() {
        let (settings, route, problems) = annotate([
            "concurrency": "8", "queue-limit": "100", "timeout": "90s", "idempotent": "true",
            "policy": "peak-ewma",
        ])
        var expected = Configuration.PoolSettings()
        expected.concurrency = 8
        expected.queue.limit = 100
        expected.policy = .peakEWMA
        #expect(settings == expected)
        #expect(route.timeout == .seconds(90))
        #expect(route.idempotent)
        #expect(problems == [])
    }

    @Test func `may be none`() {
        let (settings, route, problems) = annotate([:])
        #expect(settings == Configuration.PoolSettings())
        #expect(route == Configuration.Route(name: "r", pool: "p"))
        #expect(problems == [])
    }

    @Test(arguments: [
        ("concurrency", "0"), ("concurrency", "many"), ("queue-limit", "-1"), ("timeout", "5"),
        ("timeout", "soon"), ("idempotent", "yes"), ("policy", "magic"),
        ("policy", "consistent-hash"), ("concurency", "3"),
    ])
    func `that are wrong change nothing and are told`(name: String, value: String) {
        let (settings, route, problems) = annotate([name: value])
        #expect(settings == Configuration.PoolSettings())
        #expect(route == Configuration.Route(name: "r", pool: "p"))
        #expect(problems.count == 1)
        #expect(problems.first?.contains(name) == true)
    }

    @Test func `spoil no other`() {
        let (settings, _, problems) = annotate(["concurrency": "4", "timeout": "never"])
        #expect(settings.concurrency == 4)
        #expect(problems.count == 1)
    }

    @Test func `read no variable of the gateway`() {
        let (settings, _, problems) = annotate(["policy": "${PATH}", "concurrency": "${HOME:-3}"])
        #expect(settings == Configuration.PoolSettings())
        #expect(problems.count == 2)
        #expect(!problems.contains { $0.contains("environment") })
    }
}
