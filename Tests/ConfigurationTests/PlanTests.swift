// What a reload would change, in words. More in Golden/plan-*.txt.
import Testing

@testable import Configuration

@Suite struct `A plan` {
    private func plan(_ old: String, _ new: String) throws -> [String] {
        try Plan(from: load(old).checked(), to: load(new).checked()).lines
    }

    @Test func `of a configuration against itself is empty`() throws {
        let configuration = try load(text()).checked()
        let plan = Plan(from: configuration, to: configuration)
        #expect(plan.isEmpty)
        #expect(plan.description == "no changes")
    }

    @Test func `joins its lines`() throws {
        let old = try load(text()).checked()
        let new = try load(text(top: "watch: true", pool: "replicas: ['m:1']")).checked()
        #expect(Plan(from: old, to: new).description == "watch false→true; sales: +1 replica")
    }

    @Test func `names a new kind of source`() throws {
        let lines = try plan(
            text(pool: "replicas: ['m:1', 'm:2']"),
            text(pool: "dns: { name: 'm', port: 1 }")
        )
        #expect(lines == ["sales: 2 replicas→dns m:1"])
    }

    @Test func `does not care for the order of replicas and routes`() throws {
        let routes = ["{ path: '/a', pool: 'sales' }", "{ path: '/b', pool: 'sales' }"]
        let texts = [routes, routes.reversed()].map { routes in
            """
            {
              listeners: [{ address: "127.0.0.1:0" }],
              pools: { sales: { replicas: ['m:1', 'm:2'] } },
              routes: [\(routes.joined(separator: ", "))],
            }
            """
        }
        #expect(try plan(texts[0], texts[1]) == [])
    }

    @Test(arguments: [
        ("admin: { token: 'one' }", "admin: { token: 'two' }", "admin.token changed"),
        ("admin: { token: 'one' }", "", "admin.token changed"),
    ])
    func `tells no secret`(_ old: String, _ new: String, _ line: String) throws {
        #expect(try plan(text(top: old), text(top: new)) == [line])
    }

    @Test func `tells no argument and no variable of a process`() throws {
        let lines = try plan(
            text(pool: "processes: { command: ['a', '--key=1'], env: { K: '1' } }"),
            text(pool: "processes: { command: ['a', '--key=2'], env: { K: '2' } }")
        )
        #expect(lines == ["sales: command changed, env changed"])
    }

    @Test func `sees every setting of a pool`() throws {
        let changed = """
            replicas: [], concurrency: 2, policy: "round-robin", slowStart: "1s", stall: "off",
            connectTimeout: "2s", keepAlive: "1s", timeout: "1s", streamIdle: "1s",
            onClientAbort: "finish", queue: { bytes: "1MiB" }, health: { path: "/h" },
            outliers: { consecutive: "off" }, retries: { attempts: 1 }, scaling: { target: 2 },
            """
        let line = try #require(try plan(text(), text(pool: changed)).first)
        for part in [
            "concurrency 1→2", "policy least-connections→round-robin", "slowStart 30s→1s",
            "stall 2m→off", "connectTimeout 1s→2s", "keepAlive 1.5s→1s", "timeout 5m→1s",
            "streamIdle 1m→1s", "onClientAbort cancel→finish", "queue.bytes 256MiB→1MiB",
            "health.path none→/h", "outliers.consecutive 5→off", "retries.attempts 3→1",
            "scaling.target 1→2",
        ] {
            #expect(line.contains(part))
        }
    }

    @Test func `sees every setting of a route`() throws {
        let changed = """
            replacePrefix: "/x", timeout: "1s", priority: 3, idempotent: true, attempts: 2,
            bodyBytes: "1MiB", upgrades: [], responseHeaders: { reason: false }, name: "r",
            host: "a.b", path: "/p", methods: ["GET"], headers: { A: "1" },
            """
        let line = try #require(try plan(text(route: "name: 'r'"), text(route: changed)).first)
        for part in [
            "/→a.b/p", "methods all→GET", "headers changed", "replacePrefix none→/x",
            "timeout none→1s", "priority none→3", "idempotent false→true", "attempts none→2",
            "bodyBytes none→1MiB", "upgrades [\"websocket\"]→[]",
            "responseHeaders.reason true→false",
        ] {
            #expect(line.contains(part))
        }
    }
}
