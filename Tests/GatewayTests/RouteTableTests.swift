import Balancing
import HTTPWire
import Telemetry
import Testing
import Transport

@testable import Gateway

/// From host, path, method and fields to a route.
@Suite struct `Route table` {
    /// A route with this name and these conditions.
    private func route(_ name: String, _ match: RouteMatch) -> Route {
        let metrics = GatewayMetrics()
        let pool = Pool(
            name: "p",
            options: PoolOptions(),
            seed: 1,
            metrics: metrics.pool("p"),
            log: Log(now: { 0 }, sink: { _ in }),
            closeIdle: { _ in }
        )
        return Route(
            name: name,
            pool: pool,
            match: match,
            rewriting: .keep,
            timeout: .seconds(1),
            priority: nil,
            isIdempotent: false,
            attemptsMax: 1,
            bodyBytesMax: 1,
            upgrades: [],
            settings: PoolSettings(),
            answerFields: AnswerFieldSwitches(),
            metrics: metrics.route(name, pool: "p")
        )
    }

    /// The name of the route that takes a request.
    private func name(_ request: String, in routes: [(String, RouteMatch)]) throws -> String? {
        let table = RouteTable(routes.map { route($0.0, $0.1) })
        var parser = RequestParser()
        var fields = FieldTable(capacity: 16)
        let bytes = request.wire.bytes
        guard let head = try parser.parse(bytes.span, into: &fields) else { return "unread" }
        return table.match(head, of: bytes.span, fields)?.name
    }

    private static func match(
        _ host: RouteMatch.Host = .any,
        _ path: RouteMatch.Path = .prefix("/".bytes),
        _ methods: [String] = [],
        _ fields: [(String, String?)] = []
    ) -> RouteMatch {
        RouteMatch(
            host: host,
            path: path,
            methods: methods.map(\.bytes),
            fields: fields.map { .init(name: $0.0.bytes, value: $0.1?.bytes) }
        )
    }

    /// The least specific first, each before all that follow it.
    static let ladder: [(String, RouteMatch)] = [
        ("all", match()),
        ("all, POST", match(.any, .prefix("/".bytes), ["POST"])),
        ("all, POST, field", match(.any, .prefix("/".bytes), ["POST"], [("x-a", nil)])),
        ("begins /v", match(.any, .startsWith("/v".bytes))),
        ("prefix /v1", match(.any, .prefix("/v1".bytes))),
        ("exact /v1", match(.any, .exact("/v1".bytes))),
        ("prefix /v1/x", match(.any, .prefix("/v1/x".bytes))),
        ("suffix", match(.suffix(".example".bytes))),
        ("suffix /v1", match(.suffix(".example".bytes), .prefix("/v1".bytes))),
        ("longer suffix", match(.suffix(".b.example".bytes))),
        ("exact host", match(.exact("a.b.example".bytes))),
        ("exact host /v1", match(.exact("a.b.example".bytes), .prefix("/v1".bytes))),
    ]

    @Test func `specificity is host, then path, then conditions`() {
        for index in Self.ladder.indices.dropLast() {
            let (less, more) = (Self.ladder[index], Self.ladder[index + 1])
            #expect(less.1.rank < more.1.rank, "\(less.0) before \(more.0)")
        }
    }

    @Test(arguments: [
        ("GET /other", "a", "all"), ("POST /other", "a", "all, POST"), ("GET /v", "a", "begins /v"),
        ("GET /v1", "a", "exact /v1"), ("GET /v1/", "a", "prefix /v1"),
        ("GET /v1/x/y", "a", "prefix /v1/x"), ("GET /v10", "a", "begins /v"),
        ("GET /", "x.example", "suffix"), ("GET /v1/x", "x.example", "suffix /v1"),
        ("GET /v1", "c.b.example", "longer suffix"), ("GET /", "a.b.example", "exact host"),
        ("GET /v1/x", "A.B.Example:8080", "exact host /v1"),
    ])
    func `the most specific route is taken, whatever the order`(
        line: String,
        host: String,
        expected: String
    ) throws {
        let request = "\(line) HTTP/1.1\nHost: \(host)\n\n"
        for routes in [Self.ladder, Self.ladder.reversed(), Self.ladder.sorted { $0.0 < $1.0 }] {
            #expect(try name(request, in: routes) == expected)
        }
    }

    @Test func `of equals the first is taken`() throws {
        let routes = [
            ("first", Self.match(.any, .prefix("/a".bytes))),
            ("second", Self.match(.any, .prefix("/a".bytes))),
        ]
        #expect(try name("GET /a HTTP/1.1\nHost: a\n\n", in: routes) == "first")
        #expect(try name("GET /a HTTP/1.1\nHost: a\n\n", in: routes.reversed()) == "second")
    }

    @Test func `without a route that fits there is none`() throws {
        let routes = [("a", Self.match(.any, .prefix("/a".bytes)))]
        #expect(try name("GET /b HTTP/1.1\nHost: a\n\n", in: routes) == nil)
        #expect(try name("GET /a HTTP/1.1\nHost: a\n\n", in: []) == nil)
    }

    @Test(arguments: [
        (RouteMatch.Path.prefix("/v1".bytes), "/v1", true), (.prefix("/v1".bytes), "/v1/", true),
        (.prefix("/v1".bytes), "/v1/a", true), (.prefix("/v1".bytes), "/v10", false),
        (.prefix("/v1".bytes), "/v", false), (.prefix("/v1".bytes), "/V1", false),
        (.prefix("/v1".bytes), "/v1?a", true), (.prefix("/".bytes), "/anything", true),
        (.exact("/v1".bytes), "/v1", true), (.exact("/v1".bytes), "/v1?q", true),
        (.exact("/v1".bytes), "/v1/", false), (.exact("/v1".bytes), "/v", false),
        (.startsWith("/v".bytes), "/v10/x", true), (.startsWith("/v".bytes), "/x", false),
    ])
    func `a path fits on the borders of its segments`(
        path: RouteMatch.Path,
        target: String,
        fits: Bool
    ) throws {
        let found = try name(
            "GET \(target) HTTP/1.1\nHost: a\n\n",
            in: [("r", Self.match(.any, path))]
        )
        #expect((found != nil) == fits)
    }

    @Test(arguments: [
        (RouteMatch.Host.exact("a.example".bytes), "a.example", true),
        (.exact("a.example".bytes), "A.Example:80", true),
        (.exact("a.example".bytes), "b.a.example", false),
        (.suffix(".example".bytes), "a.example", true),
        (.suffix(".example".bytes), "a.b.EXAMPLE:1", true),
        (.suffix(".example".bytes), "example", false),
        (.suffix(".example".bytes), ".example", false),
        (.suffix(".example".bytes), "notexample", false), (.any, "[::1]:80", true),
        (.label(".example".bytes), "A.example:80", true),
        (.label(".example".bytes), "a.b.example", false), (.label(".example".bytes), "b", false),
        (.label(".example".bytes), ".example", false),
        (.exact("[::1]".bytes), "[::1]:80", true), (.exact("[::1]".bytes), "[::1]", true),
    ])
    func `a host fits without case and without its port`(
        host: RouteMatch.Host,
        value: String,
        fits: Bool
    ) throws {
        // A host that no request may have fits nowhere.
        let found = try? name("GET / HTTP/1.1\nHost: \(value)\n\n", in: [("r", Self.match(host))])
        #expect((found != nil) == fits)
    }

    @Test(arguments: [
        ([("x-model", "v2")], "X-Model: v2", true), ([("x-model", "v2")], "x-model: v2", true),
        ([("x-model", "v2")], "X-Model: V2", false), ([("x-model", "v2")], "X-Model: v20", false),
        ([("x-model", nil)], "X-Model: any", true), ([("x-model", nil)], "X-Mode: any", false),
        ([("x-model", "v2")], "X-Model: v1\nX-Model: v2", true),
        ([("x-model", "v2"), ("x-trial", nil)], "X-Model: v2", false),
        ([("x-model", "v2"), ("x-trial", nil)], "X-Trial: 1\nX-Model: v2", true),
    ])
    func `every field that is asked for must be there`(
        wanted: [(String, String?)],
        fields: String,
        fits: Bool
    ) throws {
        let match = Self.match(.any, .prefix("/".bytes), [], wanted)
        let found = try name("GET / HTTP/1.1\nHost: a\n\(fields)\n\n", in: [("r", match)])
        #expect((found != nil) == fits)
    }

    /// RFC 9110 §9.1: methods are case-sensitive.
    @Test(arguments: [("GET", true), ("POST", true), ("get", false), ("GE", false), ("PUT", false)])
    func `one of the methods must be the request's`(method: String, fits: Bool) throws {
        let match = Self.match(.any, .prefix("/".bytes), ["GET", "POST"])
        let found = try name("\(method) / HTTP/1.1\nHost: a\n\n", in: [("r", match)])
        #expect((found != nil) == fits)
    }

    @Test(arguments: [
        ("a.example:80", "a.example"), ("a.example", "a.example"), ("[::1]:80", "[::1]"),
        ("[::1]", "[::1]"), ("10.0.0.1:1", "10.0.0.1"), ("10.0.0.1", "10.0.0.1"), ("", ""),
        ("a:", "a"),
    ])
    func `a host name is the authority without its port`(authority: String, expected: String) {
        let bytes = authority.bytes
        #expect(written { $0.write(hostName(bytes.span)) } == expected)
    }

    @Test(arguments: [
        (PathRewriting.strip, "/v1", "/v1/x", "/x"), (.strip, "/v1", "/v1", "/"),
        (.strip, "/", "/x", "/x"), (.replace("/a".bytes), "/v1", "/v1/x", "/a/x"),
        (.replace("/a/".bytes), "/v1", "/v1/x", "/a/x"), (.replace("/a".bytes), "/v1", "/v1", "/a"),
        (.replace("/a".bytes), "/", "/x", "/a/x"), (.replace("/".bytes), "/v1", "/v1/x", "/x"),
    ])
    func `a rewritten path begins with one slash`(
        rewriting: PathRewriting,
        prefix: String,
        path: String,
        expected: String
    ) {
        let plain = route("r", Self.match(.any, .prefix(prefix.bytes)))
        let rewriter = Route(
            name: "r",
            pool: plain.pool,
            match: plain.match,
            rewriting: rewriting,
            timeout: .seconds(1),
            priority: nil,
            isIdempotent: false,
            attemptsMax: 1,
            bodyBytesMax: 1,
            upgrades: [],
            settings: PoolSettings(),
            answerFields: AnswerFieldSwitches(),
            metrics: plain.metrics
        )
        let bytes = path.bytes
        let rewritten = rewriter.rewrite(bytes.span).map { $0.prefix + bytes[$0.rest] }
        #expect(rewritten == expected.bytes)
    }

    @Test func `a path that is kept is not rewritten`() {
        let bytes = "/v1/x".bytes
        let isUnchanged = route("r", Self.match()).rewrite(bytes.span) == nil
        #expect(isUnchanged)
    }
}
