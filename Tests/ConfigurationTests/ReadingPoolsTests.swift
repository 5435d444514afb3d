// The settings of pools: read, inherited, overridden.
import Testing

@testable import Configuration

@Suite struct `A pool's settings` {
    private func settings(_ pool: String, defaults: String = "") throws
        -> Configuration.PoolSettings
    {
        let whole = text(top: "defaults: { \(defaults) }", pool: "replicas: [], \(pool)")
        return try load(whole).checked().pools[0].settings
    }

    @Test func `are read`() throws {
        let read = try settings(
            """
            concurrency: 2, policy: "peak-ewma", slowStart: "0s", stall: "off",
            connectTimeout: "3s", keepAlive: "4s", timeout: "5s", streamIdle: "6s",
            queue: { limit: 7, bytes: "8B", timeout: "9s", patience: "10s" },
            health: {
              path: "/h?x=1", expect: [200, "204-206", "3xx"], interval: "11s", timeout: "12s",
              changingInterval: "13s", rise: 14, fall: 15, busyWindow: "16s",
            },
            outliers: {
              consecutive: "off", ejectFor: "17s", ejectForMax: "18s", ejectedShare: 0.19,
              panicThreshold: 0.2, forgetAfter: "21s",
            },
            retries: {
              attempts: 1, budgetShare: 0.22, budgetPerSecond: 2.3, budgetWindow: "24s",
              attemptTimeout: "24500ms", bodyBytes: "25B",
            },
            onClientAbort: "finish",
            scaling: { target: 26, tolerance: 0.27, interval: "28s", stabilization: "29s" },
            """
        )
        var expected = Configuration.PoolSettings()
        expected.concurrency = 2
        expected.policy = .peakEWMA
        expected.slowStart = .zero
        expected.stall = nil
        expected.connectTimeout = .seconds(3)
        expected.keepAlive = .seconds(4)
        expected.timeout = .seconds(5)
        expected.streamIdle = .seconds(6)
        expected.queue.limit = 7
        expected.queue.bytes = 8
        expected.queue.timeout = .seconds(9)
        expected.queue.patience = .seconds(10)
        expected.health.path = "/h?x=1"
        expected.health.expect = [200...200, 204...206, 300...399]
        expected.health.interval = .seconds(11)
        expected.health.timeout = .seconds(12)
        expected.health.changingInterval = .seconds(13)
        expected.health.rise = 14
        expected.health.fall = 15
        expected.health.busyWindow = .seconds(16)
        expected.outliers.consecutive = nil
        expected.outliers.ejectFor = .seconds(17)
        expected.outliers.ejectForMax = .seconds(18)
        expected.outliers.ejectedShare = 0.19
        expected.outliers.panicThreshold = 0.2
        expected.outliers.forgetAfter = .seconds(21)
        expected.retries.attempts = 1
        expected.retries.budgetShare = 0.22
        expected.retries.budgetPerSecond = 2.3
        expected.retries.budgetWindow = .seconds(24)
        expected.retries.attemptTimeout = .after(.milliseconds(24_500))
        expected.retries.bodyBytes = 25
        expected.onClientAbort = .finish
        expected.scaling.target = 26
        expected.scaling.tolerance = 0.27
        expected.scaling.interval = .seconds(28)
        expected.scaling.stabilization = .seconds(29)
        #expect(read == expected)
    }

    @Test(arguments: [
        ("auto", Configuration.AttemptTimeout.auto), ("off", .off),
        ("300ms", .after(.milliseconds(300))),
    ])
    func `have a time-out of attempts that is a duration or a word`(
        text: String,
        timeout: Configuration.AttemptTimeout
    ) throws {
        let read = try settings("retries: { attemptTimeout: \"\(text)\" }")
        #expect(read.retries.attemptTimeout == timeout)
    }

    @Test func `are inherited one by one`() throws {
        let read = try settings(
            "queue: { limit: 9 }, stall: \"2s\"",
            defaults: "concurrency: 4, queue: { limit: 1, bytes: \"5B\" }, stall: \"off\""
        )
        var expected = Configuration.PoolSettings()
        expected.concurrency = 4
        expected.queue.limit = 9
        expected.queue.bytes = 5
        expected.stall = .seconds(2)
        #expect(read == expected)
    }

    @Test func `may go back to what defaults took away`() throws {
        let read = try settings(
            "queue: { limit: \"auto\" }, health: { path: \"none\" }",
            defaults: "queue: { limit: 1 }, health: { path: \"/h\" }"
        )
        #expect(read.queue.limit == nil)
        #expect(read.health.path == nil)
    }

    @Test(
        arguments: [
            ("\"least-connections\"", .leastConnections), ("\"round-robin\"", .roundRobin),
            ("\"power-of-two\"", .powerOfTwo), ("{ name: \"peak-ewma\" }", .peakEWMA),
            (
                "{ name: \"consistent-hash\", key: \"path\" }",
                .consistentHash(key: .path, boundedLoad: 1.25)
            ),
            (
                "{ name: \"consistent-hash\", key: { cookie: \"c\" }, boundedLoad: 2 }",
                .consistentHash(key: .cookie("c"), boundedLoad: 2)
            ),
            (
                "{ name: \"consistent-hash\", key: { header: \"X-H\" } }",
                .consistentHash(key: .header("X-H"), boundedLoad: 1.25)
            ),
            (
                "{ name: \"consistent-hash\", key: \"clientAddress\" }",
                .consistentHash(key: .clientAddress, boundedLoad: 1.25)
            ),
        ] as [(String, Configuration.Policy)]
    )
    func `name a policy`(_ written: String, _ policy: Configuration.Policy) throws {
        #expect(try settings("policy: \(written)").policy == policy)
    }

    @Test(arguments: [
        "99", "600", "'2x'", "'0xx'", "'6xx'", "'300-200'", "'200-'", "'a'", "true", "2.5",
    ])
    func `take no status that there is not`(_ status: String) {
        let loaded = load(text(pool: "replicas: [], health: { expect: [\(status)] }"))
        #expect(loaded.configuration == nil)
    }

    @Test(arguments: ["h", "/a b", "/a#b", "/a?b c", "http://x/"])
    func `take no probe path that there is not`(_ path: String) {
        let loaded = load(text(pool: "replicas: [], health: { path: '\(path)' }"))
        #expect(loaded.configuration == nil)
    }
}
