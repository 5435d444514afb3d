import HTTPWire
import Simulation
import Testing

@testable import Gateway

/// The head that the replica gets, as it is on the wire.
@Suite struct `Request fields` {
    /// Sends a request through a gateway; what the replica got.
    private func forwarded(
        _ request: String,
        _ settings: Stage.Settings = Stage.Settings(),
        from host: [UInt8] = Stage.clientHost
    ) throws -> SeenRequest {
        let stage = try Stage(settings)
        try stage.ask(request, from: host)
        return try #require(stage.replica.requests.first, "the replica got nothing")
    }

    private static let trusting = Stage.Settings(top: #"trustedProxies: ["10.9.0.0/16"],"#)

    @Test func `a plain request goes on with what the gateway adds`() throws {
        let request = try forwarded(
            head(
                "GET /predict?x=1 HTTP/1.1",
                "Host: model.example",
                "X-Request-ID: abc",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "Accept: */*"
            )
        )
        let lines = request.rawHead.split(separator: "\n").map(String.init)
        #expect(
            lines.dropLast() == [
                "GET /predict?x=1 HTTP/1.1",
                "Host: model.example",
                "Accept: */*",
                "X-Forwarded-For: 10.9.0.1",
                "X-Forwarded-Proto: http",
                "X-Forwarded-Host: model.example",
                "Via: 1.1 sluice",
                "X-Request-ID: abc",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            ]
        )
        #expect(lines.last?.hasPrefix("X-Request-Timeout: 00") == true)
    }

    @Test func `what a stranger says about others is removed`() throws {
        let request = try forwarded(
            head(
                "GET / HTTP/1.1",
                "Host: a",
                "X-Forwarded-For: 1.2.3.4",
                "X-Forwarded-Proto: https",
                "X-Forwarded-Host: evil",
                "X-Forwarded-Port: 1",
                "X-Forwarded-Prefix: /x",
                "X-Real-IP: 1.2.3.4",
                "Forwarded: for=1.2.3.4",
                "X-Sluice-Priority: 9",
                "X-Sluice-Anything: 1",
                "X_Forwarded_For: 1.2.3.4"
            )
        )
        #expect(request.head.values("X-Forwarded-For") == ["10.9.0.1"])
        #expect(request.head.values("X-Forwarded-Proto") == ["http"])
        #expect(request.head.values("X-Forwarded-Host") == ["a"])
        for name in [
            "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Real-IP", "Forwarded",
            "X-Sluice-Priority", "X-Sluice-Anything", "X_Forwarded_For",
        ] {
            #expect(request.head.values(name) == [], "\(name)")
        }
    }

    @Test func `what a trusted caller says about others goes on`() throws {
        let request = try forwarded(
            head(
                "GET / HTTP/1.1",
                "Host: a",
                "X-Forwarded-For: 1.2.3.4, 5.6.7.8",
                "X-Forwarded-For: 9.9.9.9",
                "X-Forwarded-Proto: https",
                "X-Forwarded-Host: front",
                "X-Forwarded-Port: 443",
                "X-Real-IP: 1.2.3.4",
                "Forwarded: for=1.2.3.4"
            ),
            Self.trusting
        )
        #expect(request.head.values("X-Forwarded-For") == ["1.2.3.4, 5.6.7.8, 9.9.9.9, 10.9.0.1"])
        #expect(request.head.values("X-Forwarded-Proto") == ["https"])
        #expect(request.head.values("X-Forwarded-Host") == ["front"])
        #expect(request.head.values("X-Forwarded-Port") == ["443"])
        #expect(request.head.values("X-Real-IP") == ["1.2.3.4"])
        #expect(request.head.values("Forwarded") == ["for=1.2.3.4"])
    }

    @Test func `a caller outside the trusted ranges is a stranger`() throws {
        let request = try forwarded(
            head("GET / HTTP/1.1", "Host: a", "X-Forwarded-For: 1.2.3.4"),
            Self.trusting,
            from: [10, 8, 0, 1]
        )
        #expect(request.head.values("X-Forwarded-For") == ["10.8.0.1"])
    }

    /// RFC 9110 §7.6.3.
    @Test func `Via grows by one`() throws {
        let request = try forwarded(
            head("GET / HTTP/1.1", "Host: a", "Via: 1.0 fred, 1.1 p.example", "Via: 1.1 q")
        )
        #expect(request.head.values("Via") == ["1.0 fred, 1.1 p.example, 1.1 q, 1.1 sluice"])
    }

    /// RFC 9112 §3.2.2.
    @Test(arguments: [
        ("GET http://one.example/x?y HTTP/1.1", "GET /x?y HTTP/1.1", "one.example"),
        ("GET http://one.example:81/x HTTP/1.1", "GET /x HTTP/1.1", "one.example:81"),
        ("GET http://one.example HTTP/1.1", "GET / HTTP/1.1", "one.example"),
        ("GET http://one.example?q HTTP/1.1", "GET /?q HTTP/1.1", "one.example"),
        ("OPTIONS http://one.example HTTP/1.1", "OPTIONS * HTTP/1.1", "one.example"),
    ])
    func `the authority of an absolute target replaces Host`(
        line: String,
        forwardedLine: String,
        host: String
    ) throws {
        let request = try forwarded(head(line, "Host: other.example"))
        #expect(request.head.startLine == forwardedLine)
        #expect(request.head.values("Host") == [host])
        #expect(request.head.values("X-Forwarded-Host") == [host])
    }

    /// RFC 9110 §7.6.1.
    @Test func `fields of one connection stay there`() throws {
        let request = try forwarded(
            head(
                "GET / HTTP/1.1",
                "Host: a",
                "Connection: keep-alive, X-Named, Foo",
                "Keep-Alive: 5",
                "TE: trailers",
                "Trailer: X",
                "Proxy-Authorization: Basic x",
                "Proxy-Connection: close",
                "X-Named: 1",
                "Foo: 2",
                "foo: 3",
                "Bar: 4"
            )
        )
        for name in [
            "Connection", "Keep-Alive", "TE", "Trailer", "Proxy-Authorization",
            "Proxy-Connection", "X-Named", "Foo",
        ] {
            #expect(request.head.values(name) == [], "\(name)")
        }
        #expect(request.head.values("Bar") == ["4"])
    }

    @Test func `Connection cannot strip framing or what the gateway says`() throws {
        let request = try forwarded(
            head(
                "POST / HTTP/1.1",
                "Host: a",
                "Connection: close, content-length, host, x-forwarded-for, via, x-request-id",
                "X-Request-ID: kept",
                "Content-Length: 3"
            ) + "abc"
        )
        #expect(request.text == "abc")
        #expect(request.head.values("Content-Length") == ["3"])
        #expect(request.head.values("Host") == ["a"])
        #expect(request.head.values("X-Forwarded-For") == ["10.9.0.1"])
        #expect(request.head.values("X-Request-ID") == ["kept"])
        #expect(request.head.values("Via") == ["1.1 sluice"])
    }

    /// RFC 9110 §5.3.
    @Test func `order and repetition of fields are kept`() throws {
        let request = try forwarded(
            head("GET / HTTP/1.1", "Host: a", "A: 1", "B: 2", "A:3", "C:\t4 ", "A: 1")
        )
        let own = request.head.fields.filter { ["A", "B", "C"].contains($0.name) }
        #expect(own.map { "\($0.name)=\($0.value)" } == ["A=1", "B=2", "A=3", "C=4", "A=1"])
    }

    @Test func `chunks go on as chunks, with one field that says so`() throws {
        let request = try forwarded(
            head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: Chunked")
                + "3;x=y\nabc\n2\nde\n0\n\n"
        )
        #expect(request.head.values("Transfer-Encoding") == ["chunked"])
        #expect(request.head.values("Content-Length") == [])
        #expect(request.text == "abcde")
    }

    @Test(arguments: [
        ("a", true), (String(repeating: "x", count: 128), true),
        (String(repeating: "x", count: 129), false), ("two words", false), ("", false),
        ("umlaut-ä", false),
    ])
    func `a request id is kept if it is short and visible`(id: String, isKept: Bool) throws {
        let request = try forwarded(
            head("GET / HTTP/1.1", "Host: a", "X-Request-ID: \(id)")
        )
        let value = try #require(request.head.value("X-Request-ID"))
        #expect((value == id) == isKept)
        if !isKept { #expect(value.wholeMatch(of: /[0-9a-f]{32}/) != nil, "\(value)") }
    }

    @Test(arguments: [
        "", "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ])
    func `a trace context that is not valid is made anew`(value: String) throws {
        let request = try forwarded(head("GET / HTTP/1.1", "Host: a", "traceparent: \(value)"))
        let made = try #require(request.head.value("traceparent"))
        #expect(made != value)
        #expect(made.wholeMatch(of: /00-[0-9a-f]{32}-[0-9a-f]{16}-01/) != nil, "\(made)")
    }

    /// RFC 9110 §7.6.2.
    @Test(arguments: [
        ("OPTIONS", "5", "4"), ("OPTIONS", "1", "0"), ("TRACE", "7", "6"),
        ("OPTIONS", "many", "many"), ("GET", "5", "5"),
    ])
    func `Max-Forwards counts down where it counts`(
        method: String,
        value: String,
        expected: String
    ) throws {
        let request = try forwarded(
            head("\(method) / HTTP/1.1", "Host: a", "Max-Forwards: \(value)")
        )
        #expect(request.head.values("Max-Forwards") == [expected])
    }

    @Test(arguments: [
        (#"path: "/v1", stripPrefix: true,"#, "/v1/x?y=/v1", "/x?y=/v1"),
        (#"path: "/v1", stripPrefix: true,"#, "/v1", "/"),
        (#"path: "/v1", stripPrefix: true,"#, "/v1?a", "/?a"),
        (#"path: "/v1", replacePrefix: "/v2/m","#, "/v1/x", "/v2/m/x"),
        (#"path: "/v1", replacePrefix: "/","#, "/v1/x", "/x"),
        (#"path: "/", replacePrefix: "/v2","#, "/x", "/v2/x"),
    ])
    func `a path is rewritten, its query is not`(
        route: String,
        target: String,
        expected: String
    ) throws {
        let settings = Stage.Settings(route: route)
        let request = try forwarded(head("GET \(target) HTTP/1.1", "Host: a"), settings)
        #expect(request.head.startLine == "GET \(expected) HTTP/1.1")
    }

    @Test func `an absolute target is rewritten by its path`() throws {
        let settings = Stage.Settings(route: #"path: "/v1", stripPrefix: true,"#)
        let request = try forwarded(head("GET http://b/v1/x?q HTTP/1.1", "Host: a"), settings)
        #expect(request.head.startLine == "GET /x?q HTTP/1.1")
    }

    /// RFC 9110 §7.8.
    @Test(arguments: [
        ("websocket", ["websocket"]), ("WebSocket", ["WebSocket"]),
        ("h2c, websocket", ["websocket"]), ("h2c", []), ("other", []),
    ])
    func `only an upgrade that the route allows goes on`(
        asked: String,
        expected: [String]
    ) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in [.send(ScriptedReplica.ok("no"))] }
        try stage.ask(
            head("GET / HTTP/1.1", "Host: a", "Connection: Upgrade", "Upgrade: \(asked)")
        )
        let request = try #require(stage.replica.requests.first)
        #expect(request.head.values("Upgrade") == expected)
        #expect(request.head.values("Connection") == (expected.isEmpty ? [] : ["Upgrade"]))
    }

    @Test(arguments: [("2.5", 2.5), ("250ms", 0.25), ("9000", 300), ("never", 300)])
    func `the time that is left goes on`(wish: String, seconds: Double) throws {
        let request = try forwarded(
            head("GET / HTTP/1.1", "Host: a", "X-Request-Timeout: \(wish)")
        )
        let value = try #require(request.head.value("X-Request-Timeout"))
        let left = try #require(Double(value))
        #expect(left <= seconds && left > seconds - 0.1, "\(value)")
    }

    @Test(arguments: [
        (Duration.zero, "00000.000"), (.milliseconds(1), "00000.001"),
        (.microseconds(999), "00000.000"), (.milliseconds(2_500), "00002.500"),
        (.seconds(99_999), "99999.000"), (.seconds(1_000_000), "99999.999"),
    ])
    func `remaining time is always as wide`(duration: Duration, expected: String) {
        #expect(written { $0.write(RemainingTime(duration).bytes) } == expected)
        #expect(expected.utf8.count == RemainingTime.blank.utf8CodeUnitCount)
    }

    @Test func `Expect is answered here and not sent on`() throws {
        let request = try forwarded(
            head("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2")
                + "ok"
        )
        #expect(request.head.values("Expect") == [])
        #expect(request.text == "ok")
    }
}
