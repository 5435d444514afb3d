// The settings of routes.
import Testing

@testable import Configuration

@Suite struct `A route's settings` {
    private func route(_ settings: String, top: String = "") throws -> Configuration.Route {
        try load(text(top: top, route: settings)).checked().routes[0]
    }

    @Test func `are read`() throws {
        let read = try route(
            """
            name: "r", host: "*.Example.COM", path: "/v1/", methods: ["GET", "POST"],
            headers: { "X-Model": "v2", "Accept": true }, replacePrefix: "/v2", timeout: "1s",
            priority: -2, idempotent: true, attempts: 2, bodyBytes: "3B", upgrades: ["WebSocket"],
            responseHeaders: { attempts: false },
            """
        )
        var expected = Configuration.Route(name: "r", pool: "sales")
        expected.host = .suffix("example.com")
        expected.path = .prefix("/v1")
        expected.methods = ["GET", "POST"]
        expected.headers = [.init(name: "accept"), .init(name: "x-model", value: "v2")]
        expected.rewrite = .replace("/v2")
        expected.timeout = .seconds(1)
        expected.priority = -2
        expected.idempotent = true
        expected.attempts = 2
        expected.bodyBytes = 3
        expected.upgrades = ["websocket"]
        expected.responseHeaders.attempts = false
        #expect(read == expected)
    }

    @Test(
        arguments: [
            ("'/'", .prefix("/")), ("'/a'", .prefix("/a")), ("'/a/'", .prefix("/a")),
            ("'//'", .prefix("/")), ("'/a*'", .startsWith("/a")), ("'/*'", .startsWith("/")),
            ("{ exact: '/a/' }", .exact("/a/")), ("{ exact: '/a*' }", .exact("/a*")),
        ] as [(String, Configuration.PathMatch)]
    )
    func `name a path`(_ written: String, _ path: Configuration.PathMatch) throws {
        #expect(try route("path: \(written)").path == path)
    }

    @Test(
        arguments: [
            ("*", .any), ("A.com", .exact("a.com")), ("*.a.com", .suffix("a.com")),
            ("10.0.0.1", .exact("10.0.0.1")), ("[::1]", .exact("[::1]")),
        ] as [(String, Configuration.HostMatch)]
    )
    func `name a host`(_ written: String, _ host: Configuration.HostMatch) throws {
        #expect(try route("host: '\(written)'").host == host)
    }

    @Test(arguments: ["", "a.com:80", "*a.com", "a.*", "http://a", "*.10.0.0.1", "**"])
    func `take no host that there is not`(_ host: String) {
        #expect(load(text(route: "host: '\(host)'")).configuration == nil)
    }

    @Test(arguments: [" v", "v ", "a\\nb", "a\\tb"])
    func `take no value that a field cannot have`(_ value: String) {
        #expect(load(text(route: "headers: { A: '\(value)' }")).configuration == nil)
    }

    @Test func `take what they do not say about headers from the top`() throws {
        let read = try route(
            "responseHeaders: { replica: true }",
            top: "responseHeaders: { replica: false, reason: false }"
        )
        #expect(read.responseHeaders.replica)
        #expect(!read.responseHeaders.reason)
        #expect(read.responseHeaders.attempts)
    }

    @Test func `give routes without a name one that is free`() throws {
        let whole = """
            {
              listeners: [{ address: "127.0.0.1:0" }], pools: { a: { replicas: [] } },
              routes: [
                { pool: "a", path: "/x" },
                { pool: "a", path: "/x", methods: ["GET", "PUT"] },
                { pool: "a", path: "/x", headers: { A: "1" } },
                { pool: "a", path: "/x", headers: { A: "2" } },
                { pool: "a", path: { exact: "/x" }, host: "b.com" },
                { pool: "a", path: "/x*", host: "*.b.com" },
              ],
            }
            """
        let names = try load(whole).checked().routes.map { $0.name }
        #expect(
            names == ["/x", "GET,PUT:/x", "/x#2", "/x#3", "b.com=/x", "*.b.com/x*"]
        )
    }

    @Test func `make up no name that a later route has`() throws {
        let whole = """
            {
              listeners: [{ address: "127.0.0.1:0" }], pools: { a: { replicas: [] } },
              routes: [{ pool: "a", path: "/x" }, { pool: "a", path: "/y", name: "/x" }],
            }
            """
        #expect(try load(whole).checked().routes.map { $0.name } == ["/x#2", "/x"])
    }
}
