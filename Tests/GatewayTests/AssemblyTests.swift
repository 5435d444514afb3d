import Balancing
import Configuration
import HTTPWire
import Processes
import Telemetry
import Testing

@testable import Gateway

/// Every setting of a configuration arrives where it takes effect.
@Suite struct `Assembly` {
    /// No setting has its default.
    static let text = """
        {
          listeners: [{ address: "127.0.0.1:1" }],
          timeouts: { handshake: "67s", head: "11s", body: "12s", write: "13s", keepAlive: "14s",
            tunnelIdle: "15s" },
          limits: { connections: 16, handshakes: 68, targetBytes: "9KiB", headBytes: "17KiB",
            fields: 18,
            trailerBytes: "19KiB", bodyBytes: "20MiB" },
          accessLog: { enabled: false, query: true },
          trustedProxies: ["10.0.0.0/9"],
          shutdown: { drainDelay: "21s", grace: "22s" },
          responseHeaders: { serverTiming: false, replica: false, attempts: false, reason: false },
          pools: {
            m: {
              replicas: [{ address: "10.0.0.1:5000", weight: 23, concurrency: 24 }],
              concurrency: 25,
              policy: { name: "consistent-hash", key: { header: "X-User" }, boundedLoad: 2.5 },
              queue: { limit: 26, bytes: "27MiB", timeout: "28s", patience: "29s" },
              health: { path: "/h", expect: [204], interval: "31s", timeout: "32s",
                changingInterval: "33s", rise: 34, fall: 35, busyWindow: "36s" },
              outliers: { consecutive: 37, ejectFor: "38s", ejectForMax: "39m",
                ejectedShare: 0.4, panicThreshold: 0.41, forgetAfter: "42s" },
              slowStart: "43s", stall: "44s", connectTimeout: "45s", keepAlive: "46s",
              timeout: "47s", streamIdle: "48s",
              retries: { attempts: 4, budgetShare: 0.49, budgetPerSecond: 5, attemptTimeout: "53s",
                budgetWindow: "51s", bodyBytes: "52KiB" },
              onClientAbort: "finish",
            },
            p: {
              processes: { command: ["c", "a"], min: 2, max: 5, env: { A: "b" },
                restart: { backoff: "53s", backoffMax: "54m", resetAfter: "55s" },
                stopTimeout: "56s", drainTimeout: "57s",
                log: { lineBytes: "9KiB", bytesPerSecond: "58KiB", burstBytes: "59KiB" } },
              scaling: { target: 2, tolerance: 0.3, interval: "61s", stabilization: "62s" },
              concurrency: 63,
            },
          },
          routes: [
            { name: "r", pool: "m", host: "*.Example.com", path: "/v1", methods: ["PUT"],
              headers: { "X-A": "b", "X-C": true }, stripPrefix: true, timeout: "64s",
              priority: 65, idempotent: true, attempts: 6, bodyBytes: "66KiB",
              upgrades: ["other"], responseHeaders: { replica: true } },
            { name: "plain", pool: "m" },
            { name: "p", pool: "p", path: "/p", replacePrefix: "/q" },
          ],
        }
        """

    private let configuration: Configuration
    private let pool: Configuration.Pool
    private let processes: Configuration.Pool

    init() throws {
        let loaded = Configuration.load(text: Self.text, file: "test", environment: [:])
        #expect(loaded.diagnostics.map(\.message) == [])
        configuration = try loaded.checked()
        pool = try #require(configuration.pools.first { $0.name == "m" })
        processes = try #require(configuration.pools.first { $0.name == "p" })
    }

    /// Every value in a value with its name: `timeouts.head`.
    private func leaves(_ value: Any, _ name: String = "") -> [String: String] {
        let children = Mirror(reflecting: value).children.filter { $0.label != nil }
        if children.isEmpty || value is Duration { return [name: "\(value)"] }
        return children.reduce(into: [:]) { all, child in
            let path = (name.isEmpty ? "" : name + ".") + (child.label ?? "")
            all.merge(leaves(child.value, path)) { first, _ in first }
        }
    }

    /// The names of what is the same in both.
    private func unchanged(_ one: Any, _ other: Any) -> [String] {
        let (before, after) = (leaves(one), leaves(other))
        return before.filter { after[$0.key] == $0.value }.map(\.key).sorted()
    }

    @Test func `no setting for clients keeps its default`() {
        // These are no settings: they follow from others or from the format.
        let fixed = [
            "limits.chunkExtensionBytesMax", "limits.connectionOptionsMax",
            "limits.leadingEmptyLinesMax", "limits.methodBytesMax", "limits.trailersMax",
        ]
        #expect(unchanged(GatewaySettings(), configuration.gatewaySettings) == fixed)
    }

    @Test func `no setting of a pool keeps its default`() {
        #expect(unchanged(PoolOptions(), pool.poolOptions) == [])
        // TLS comes with what was read from its files.
        #expect(unchanged(PoolSettings(), pool.pathSettings()) == ["tls"])
        #expect(unchanged(ProbeSettings(), pool.probeSettings()) == ["tls"])
    }

    @Test func `no setting of processes keeps its default`() throws {
        guard case .processes(let options, let scaling) = processes.listing else {
            Issue.record("no processes")
            return
        }
        let plain = ProcessOptions(name: "x", command: [], environment: [:], min: 1, max: 1)
        #expect(unchanged(plain, options) == [])
        #expect(unchanged(ScalingOptions(), scaling) == [])
    }

    @Test func `settings for clients arrive`() {
        let settings = configuration.gatewaySettings
        #expect(settings.timeouts.handshake == .seconds(67))
        #expect(settings.handshakesMax == 68)
        #expect(settings.timeouts.head == .seconds(11))
        #expect(settings.timeouts.body == .seconds(12))
        #expect(settings.timeouts.write == .seconds(13))
        #expect(settings.timeouts.keepAlive == .seconds(14))
        #expect(settings.timeouts.tunnelIdle == .seconds(15))
        #expect(settings.connectionsMax == 16)
        #expect(settings.limits.targetBytesMax == 9 << 10)
        #expect(settings.limits.headBytesMax == 17 << 10)
        #expect(settings.limits.fieldsMax == 18)
        #expect(settings.limits.trailerBytesMax == 19 << 10)
        #expect(!settings.logsAccess && settings.logsQuery)
        #expect(settings.trusted.map(\.bytes) == [[10, 0, 0, 0]])
        #expect(settings.trusted.map(\.prefixLength) == [9])
        #expect(settings.drainDelay == .seconds(21) && settings.drainGrace == .seconds(22))
    }

    @Test func `settings of a pool's decisions arrive`() {
        let expected = PoolOptions(
            concurrency: 25,
            policy: .consistentHash(boundedLoad: 2.5),
            queue: QueueOptions(
                limit: 26,
                bytes: 27 << 20,
                timeout: .seconds(28),
                patience: .seconds(29)
            ),
            slowStart: .seconds(43),
            health: HealthOptions(
                rise: 34,
                fall: 35,
                interval: .seconds(31),
                changingInterval: .seconds(33),
                timeout: .seconds(32),
                busyWindow: .seconds(36)
            ),
            outliers: OutlierOptions(
                consecutive: 37,
                base: .seconds(38),
                max: .seconds(39 * 60),
                maxEjectedShare: 0.4,
                panicThreshold: 0.41,
                forgetAfter: .seconds(42)
            ),
            stall: .seconds(44),
            retry: RetryOptions(
                budgetRatio: 0.49,
                perSecond: 5,
                window: .seconds(51),
                attemptsMax: 4,
                attemptTimeout: .fixed(.seconds(53))
            )
        )
        #expect(pool.poolOptions == expected)
    }

    @Test func `settings of a pool's requests and probes arrive`() {
        let settings = pool.pathSettings()
        #expect(settings.connectTimeout == .seconds(45) && settings.keepAlive == .seconds(46))
        #expect(settings.streamIdle == .seconds(48) && settings.holdBytesMax == 52 << 10)
        #expect(settings.finishesWithoutClient)
        guard case .header(let name) = settings.affinity, name == "x-user".bytes else {
            Issue.record("\(String(describing: settings.affinity))")
            return
        }
        #expect(
            pool.probeSettings()
                == ProbeSettings(path: "/h", expect: [204...204], timeout: .seconds(32))
        )
    }

    @Test func `replicas arrive with what differs from the others`() {
        let item = ReplicaListing.Item(
            spec: ReplicaSpec(endpoint: "10.0.0.1:5000", weight: 23, concurrency: 24),
            host: "10.0.0.1",
            port: 5000
        )
        #expect(pool.listing == .fixed([item]))
    }

    @Test func `processes arrive with their scaling`() {
        let options = ProcessOptions(
            name: "p",
            command: ["c", "a"],
            environment: ["A": "b"],
            min: 2,
            max: 5,
            stopTimeout: .seconds(56),
            drainTimeout: .seconds(57),
            backoffMin: .seconds(53),
            backoffMax: .seconds(54 * 60),
            backoffReset: .seconds(55),
            lineBytesMax: 9 << 10,
            outputBytesPerSecond: 58 << 10,
            outputBurstBytes: 59 << 10
        )
        let scaling = ScalingOptions(
            target: 2,
            tolerance: 0.3,
            interval: .seconds(61),
            window: .seconds(62),
            concurrency: 63
        )
        #expect(processes.listing == .processes(options, scaling))
    }

    @Test func `routes arrive`() throws {
        let stage = try Stage()
        let described = try #require(configuration.routes.first { $0.name == "r" })
        let route = Route(
            described,
            of: configuration,
            to: stage.pool,
            pool,
            metrics: stage.gateway.metrics.route("r", pool: "m")
        )
        #expect(route.name == "r" && route.pool === stage.pool)
        #expect(route.match.host == .suffix(".example.com".bytes))
        #expect(route.match.path == .prefix("/v1".bytes))
        #expect(route.match.methods == ["PUT".bytes])
        #expect(route.match.fields.map(\.name) == ["x-a".bytes, "x-c".bytes])
        #expect(route.match.fields.map(\.value) == ["b".bytes, nil])
        guard case .strip = route.rewriting else { throw Unexpected("\(route.rewriting)") }
        #expect(route.timeout == .seconds(64) && route.priority == 65 && route.isIdempotent)
        #expect(route.attemptsMax == 6 && route.bodyBytesMax == 66 << 10)
        #expect(route.upgrades == ["other".bytes])
        let switches = route.answerFields
        #expect(!switches.serverTiming && switches.replica && !switches.attempts)
        #expect(!switches.reason)
    }

    @Test func `a route that says nothing has what its pool and the whole say`() throws {
        let stage = try Stage()
        let described = try #require(configuration.routes.first { $0.name == "plain" })
        let route = Route(
            described,
            of: configuration,
            to: stage.pool,
            pool,
            metrics: stage.gateway.metrics.route("plain", pool: "m")
        )
        #expect(route.timeout == .seconds(47) && route.attemptsMax == 4)
        #expect(route.bodyBytesMax == 20 << 20 && route.priority == nil && !route.isIdempotent)
        #expect(route.upgrades == ["websocket".bytes])
        #expect(!route.answerFields.replica)
        guard case .keep = route.rewriting else { throw Unexpected("\(route.rewriting)") }
    }

    @Test func `a replaced prefix arrives`() throws {
        let described = try #require(configuration.routes.first { $0.name == "p" })
        guard case .replace(let text) = PathRewriting(described.rewrite), text == "/q".bytes else {
            throw Unexpected("\(described.rewrite)")
        }
    }

    @Test(arguments: [
        (Configuration.Policy.leastConnections, PolicyKind.leastConnections),
        (.roundRobin, .roundRobin), (.powerOfTwo, .powerOfTwo), (.peakEWMA, .peakEWMA),
        (.consistentHash(key: .path, boundedLoad: 3), .consistentHash(boundedLoad: 3)),
    ])
    func `each policy is the one of its name`(policy: Configuration.Policy, kind: PolicyKind) {
        #expect(PolicyKind(policy) == kind)
    }

    @Test func `only hashing has a key`() {
        for policy in [Configuration.Policy.leastConnections, .roundRobin, .powerOfTwo] {
            let isNil = AffinityKey(policy) == nil
            #expect(isNil)
        }
        guard
            case .cookie(let name) = AffinityKey(
                .consistentHash(key: .cookie("User"), boundedLoad: 1)
            ),
            name == "User".bytes,
            case .path = AffinityKey(.consistentHash(key: .path, boundedLoad: 1)),
            case .clientAddress = AffinityKey(
                .consistentHash(key: .clientAddress, boundedLoad: 1)
            )
        else {
            Issue.record("a key is another one")
            return
        }
    }

    @Test func `what is off never happens`() throws {
        var described = pool
        described.settings.stall = nil
        described.settings.outliers.consecutive = nil
        #expect(described.poolOptions.outliers.consecutive == Int.max)
        #expect(described.poolOptions.stall > .seconds(365 * 86_400))
        var whole = configuration
        whole.limits.connections = nil
        #expect(whole.gatewaySettings.connectionsMax == Int.max)
    }

    @Test func `a name that is looked up arrives`() {
        var dns = Configuration.DNS(name: "model", port: 5000)
        dns.every = .seconds(3)
        var described = pool
        described.source = .dns(dns)
        #expect(described.listing == .dns(name: "model", port: 5000, every: .seconds(3)))
    }
}

/// What a test did not expect.
struct Unexpected: Error {
    let what: String
    init(_ what: String) { self.what = what }
}
