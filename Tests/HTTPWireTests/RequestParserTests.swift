// Request heads: what they say, what is refused, and when.

import HTTPWire
import Testing

@Suite struct `Request parser` {
    @Test func `reads every part of a head`() throws {
        let bytes = head(
            "POST /predict?model=a?b HTTP/1.1",
            "Host: models.example:8080",
            "Content-Length: 12",
            "X-Request-ID:abc \t "
        )
        let outcome = request(bytes)
        let head = try #require(outcome.head)
        #expect(head.method == .post)
        #expect(text(bytes, head.methodRange) == "POST")
        #expect(text(bytes, head.target) == "/predict?model=a?b")
        #expect(text(bytes, head.path) == "/predict")
        #expect(text(bytes, head.query) == "model=a?b")
        #expect(head.targetForm == .origin)
        #expect(text(bytes, head.host) == "models.example:8080")
        #expect(head.version == .http11)
        #expect(head.framing == .length(12))
        #expect(head.headLength == bytes.count)
        #expect(head.sawFields == [.host, .contentLength, .xRequestID])
        #expect(outcome[.xRequestID] == ["abc"])
    }

    @Test func `leaves what follows the head alone`() {
        let first = head("GET / HTTP/1.1", "Host: a")
        let outcome = request(first + head("GET /second HTTP/1.1", "Host: a"))
        #expect(outcome.head?.headLength == first.count)
    }

    @Test func `needs more bytes until the last one`() {
        let bytes = head("GET / HTTP/1.1", "Host: a")
        for count in bytes.indices {
            #expect(parseRequest(bytes, prefixes: [count]) == .incomplete)
        }
    }

    @Test func `serves one request after the other`() throws {
        var parser = RequestParser()
        var table = FieldTable(capacity: 8)
        let first = head("GET /1 HTTP/1.1", "Host: a", "X: y")
        let second = head("GET /22 HTTP/1.1", "Host: a")
        let head1 = try parser.parse(first.span, into: &table)
        #expect(head1?.target.length == 2)
        parser.reset()
        let head2 = try parser.parse(second.span, into: &table)
        #expect(head2?.target.length == 3)
        #expect(table.count == 1)
    }

    @Test(arguments: [
        ("GET", Method.get), ("HEAD", .head), ("POST", .post), ("PUT", .put),
        ("DELETE", .delete), ("OPTIONS", .options), ("PATCH", .patch), ("TRACE", .trace),
        ("get", .other), ("GETT", .other), ("PROPFIND", .other), ("M-SEARCH", .other),
    ])
    func `tells methods apart, in their own case only`(name: String, method: Method) {
        #expect(request("\(name) / HTTP/1.1", "Host: a").head?.method == method)
    }

    // RFC 9112 §2.2: at least one empty line before the request line is ignored.
    @Test func `skips a few empty lines before the request line`() throws {
        let lines = head("GET / HTTP/1.1", "Host: a")
        let bytes = Array("\r\n\r\n".utf8) + lines
        let head = try #require(request(bytes).head)
        #expect(text(bytes, head.methodRange) == "GET")
        #expect(head.headLength == bytes.count)
    }

    // Wire rule 11: empty lines have a bound.
    @Test func `refuses many empty lines`() {
        let bytes = Array(String(repeating: "\r\n", count: 5).utf8)
        #expect(request(bytes).fault == .badRequestLine)
        #expect(bytesUntilFault(bytes) == 9)
    }

    @Test func `has started with the first byte that is no empty line`() throws {
        var parser = RequestParser()
        var table = FieldTable(capacity: 8)
        let bytes = Array("\r\n\r\nG".utf8)
        _ = try parser.parse(bytes.span.extracting(0..<4), into: &table)
        #expect(!parser.hasStarted)
        _ = try parser.parse(bytes.span, into: &table)
        #expect(parser.hasStarted)
        parser.reset()
        #expect(!parser.hasStarted)
    }

    // RFC 9112 §3, wire rule 10.
    @Test(arguments: [
        (" GET / HTTP/1.1", WireError.badMethod),
        ("GE(T / HTTP/1.1", .badMethod),
        ("GET\t/ HTTP/1.1", .badMethod),
        ("GET  / HTTP/1.1", .badTarget),
        ("GET /\tHTTP/1.1", .badTarget),
        ("GET /\u{b} HTTP/1.1", .badTarget),
        ("GET /#top HTTP/1.1", .badTarget),
        ("GET /?a#top HTTP/1.1", .badTarget),
        ("GET /\u{e9} HTTP/1.1", .badTarget),
        ("GET /", .badTarget),
        ("GET", .badMethod),
        ("GET /  HTTP/1.1", .badRequestLine),
        ("GET /a b HTTP/1.1", .badRequestLine),
        ("GET / HTTP/1.1 ", .badRequestLine),
        ("GET / HTTP/1.1\t", .badRequestLine),
        ("GET / http/1.1", .badRequestLine),
        ("GET / HTTP/11", .badRequestLine),
        ("GET / HTTP/1,1", .badRequestLine),
        ("GET / HTTP/1.x", .badRequestLine),
        ("GET / HTTP/1.10", .badRequestLine),
        ("GET / HTTP/1", .badRequestLine),
        ("GET / FTP/1.1", .badRequestLine),
    ])
    func `refuses a malformed request line`(line: String, fault: WireError) {
        #expect(request(line, "Host: a").fault == fault)
    }

    // RFC 9110 §15.6.6: the major version is not ours.
    @Test(arguments: ["HTTP/2.0", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9"])
    func `knows an unsupported version`(version: String) {
        #expect(request("GET / \(version)", "Host: a").fault == .unsupportedVersion)
    }

    @Test func `knows the preface of HTTP/2`() {
        let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
        #expect(request(preface).fault == .badTarget)
    }

    // RFC 9110 §2.5: a higher minor version is treated as 1.1.
    @Test(arguments: [("HTTP/1.0", Version.http10), ("HTTP/1.1", .http11), ("HTTP/1.9", .http11)])
    func `knows the versions it can answer`(name: String, version: Version) {
        #expect(request("GET / \(name)", "Host: a").head?.version == version)
    }

    // RFC 9112 §2.2, §5.2, §5.1; RFC 9110 §5.5, §5.1: wire rules 8 and 9.
    @Test(arguments: [
        "X : y", "X\t: y", " X: y", "\tX: y", ": y", "X", "X y", "X(: y", "\u{e9}: y",
        "X: a\0b", "X: a\rb", "X: a\nb", "X: a\u{1}b", "X: a\u{7f}b", "X: a\u{1b}b",
        "X: a\r\n folded", "X: a\r\n\tfolded", "X: a\r\r", "X\r: a", "X\0: a", "\"X\": a",
    ])
    func `refuses a malformed field line`(line: String) {
        #expect(request("GET / HTTP/1.1", "Host: a", line).fault == .badField)
    }

    @Test func `refuses a blank before the first field`() {
        #expect(request("GET / HTTP/1.1", " Host: a").fault == .badField)
    }

    // RFC 9112 §2.2: a bare LF is no line end here.
    @Test(arguments: [
        ("GET / HTTP/1.1\nHost: a\n\n", WireError.badRequestLine),
        ("GET / HTTP/1.1\r\nHost: a\n\r\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\n\n", .badField),
        ("GET / HTTP/1.1\r\nHost: a\r\n\rX", .badField),
        ("\nGET / HTTP/1.1\r\n\r\n", .badMethod),
        ("\rGET / HTTP/1.1\r\n\r\n", .badRequestLine),
        ("GET / HTTP/1.1\r\rHost: a\r\n\r\n", .badRequestLine),
    ])
    func `refuses a bare CR or LF`(bytes: String, fault: WireError) {
        #expect(request(Array(bytes.utf8)).fault == fault)
    }

    @Test func `takes tabs and bytes above ASCII in a value`() {
        let outcome = request("GET / HTTP/1.1", "Host: a", "X: \u{e9}\t\u{20ac} ,;\"\\")
        #expect(outcome.lines.last?.value == "\u{e9}\t\u{20ac} ,;\"\\")
    }

    @Test(arguments: ["X:", "X: ", "X:\t \t"])
    func `takes an empty value`(line: String) {
        #expect(request("GET / HTTP/1.1", "Host: a", line).lines.last?.value == "")
    }

    @Test func `keeps order and repetition`() {
        let outcome = request("GET / HTTP/1.1", "B: 1", "Host: a", "A: 2", "B: 3")
        #expect(outcome.lines.map(\.text) == ["B", "Host", "A", "B"])
        #expect(outcome.lines.map(\.value) == ["1", "a", "2", "3"])
    }

    // RFC 9112 §3.2: wire rule 7.
    @Test(arguments: [
        (["Host: a", "Host: a"], WireError.badHost),
        (["Host: a", "host: b"], .badHost),
        (["Host: a, b"], .badHost),
        (["Host: a,b"], .badHost),
        (["Host: a b"], .badHost),
        (["Host: user@a"], .badHost),
        (["Host: a/"], .badHost),
        (["Host: a:80:80"], .badHost),
        (["Host: a:x"], .badHost),
        (["Host: a:65536"], .badHost),
        (["Host: [::1"], .badHost),
        (["Host: :80"], .badHost),
        (["Host:"], .missingHost),
        (["X: a"], .missingHost),
    ])
    func `wants exactly one valid Host`(lines: [String], fault: WireError) {
        let bytes = Array((["GET / HTTP/1.1"] + lines + ["", ""]).joined(separator: "\r\n").utf8)
        #expect(request(bytes).fault == fault)
    }

    @Test(arguments: [
        "a", "a.example", "A-1.example:8080", "127.0.0.1:80", "[::1]", "[::1]:80", "a:", "a_b",
    ])
    func `takes a valid Host`(host: String) throws {
        let bytes = head("GET / HTTP/1.1", "Host: \(host)")
        #expect(text(bytes, try #require(request(bytes).head).host) == host)
    }

    @Test func `asks no Host of HTTP 1_0, but a valid one if any`() {
        #expect(request("GET / HTTP/1.0").head?.host == .empty)
        #expect(request("GET / HTTP/1.0", "Host: a b").fault == .badHost)
        #expect(request("GET / HTTP/1.0", "Host: a", "Host: a").fault == .badHost)
    }

    // RFC 9112 §3.2.2: the authority of an absolute form replaces Host.
    @Test func `takes the host of an absolute target over Host`() throws {
        let bytes = head("GET http://real.example:81/x?y HTTP/1.1", "Host: other.example")
        let head = try #require(request(bytes).head)
        #expect(head.targetForm == .absolute)
        #expect(text(bytes, head.host) == "real.example:81")
        #expect(text(bytes, head.path) == "/x")
        #expect(text(bytes, head.query) == "y")
    }

    @Test func `wants a Host beside an absolute target`() {
        #expect(request("GET http://a/ HTTP/1.1").fault == .missingHost)
    }

    // RFC 9112 §9.3.
    @Test(arguments: [
        ("HTTP/1.1", "X: y", true),
        ("HTTP/1.1", "Connection: close", false),
        ("HTTP/1.1", "Connection: Keep-Alive, CLOSE", false),
        ("HTTP/1.1", "Connection: foo", true),
        ("HTTP/1.0", "X: y", false),
        ("HTTP/1.0", "Connection: keep-alive", true),
        ("HTTP/1.0", "Connection: keep-alive, close", false),
        ("HTTP/1.0", "Proxy-Connection: keep-alive", false),
        ("HTTP/1.1", "Proxy-Connection: close", true),
    ])
    func `knows whether the connection is kept`(version: String, line: String, kept: Bool) {
        #expect(request("GET / \(version)", "Host: a", line).head?.keepAlive == kept)
    }

    // RFC 9110 §10.1.1: wire rule 17.
    @Test(arguments: [
        ("HTTP/1.1", "Expect: 100-continue", true, false),
        ("HTTP/1.1", "Expect: 100-Continue", true, false),
        ("HTTP/1.1", "Expect: 200-ok", false, true),
        ("HTTP/1.1", "Expect: 100-continue, x", false, true),
        ("HTTP/1.1", "X: y", false, false),
        ("HTTP/1.0", "Expect: 100-continue", false, false),
        ("HTTP/1.0", "Expect: 200-ok", false, false),
    ])
    func `knows what a client expects`(
        version: String,
        line: String,
        expects: Bool,
        isUnknown: Bool
    ) {
        let head = request("POST / \(version)", "Host: a", line).head
        #expect(head?.expectsContinue == expects)
        #expect(head?.hasUnknownExpectation == isUnknown)
    }

    // RFC 9110 §7.8: wire rule 19.
    @Test(arguments: [
        ("HTTP/1.1", ["Connection: Upgrade", "Upgrade: websocket"], "websocket"),
        ("HTTP/1.1", ["Connection: keep-alive, upgrade", "Upgrade: a, b"], "a, b"),
        ("HTTP/1.1", ["Upgrade: websocket"], nil),
        ("HTTP/1.1", ["Connection: upgrade"], nil),
        ("HTTP/1.0", ["Connection: Upgrade", "Upgrade: websocket"], nil),
    ])
    func `sees an upgrade only when Connection names it`(
        version: String,
        lines: [String],
        upgrade: String?
    ) throws {
        let all = ["GET / \(version)", "Host: a"] + lines + ["", ""]
        let bytes = Array(all.joined(separator: "\r\n").utf8)
        #expect(text(bytes, try #require(request(bytes).head).upgrade) == upgrade)
    }

    // RFC 9112 §3: 8,000 bytes must work; wire rule 11.
    @Test func `takes a target of 8,000 bytes`() {
        let target = "/" + String(repeating: "a", count: 7_999)
        let bytes = head("GET \(target) HTTP/1.1", "Host: a")
        let whole = parseRequest(bytes, prefixes: [bytes.count])
        #expect(whole.head?.target.length == 8_000)
        #expect(parseRequest(bytes, prefixes: 0...bytes.count) == whole)
    }

    @Test(arguments: ["/", "/?"])
    func `refuses a long target before it ends`(start: String) {
        var limits = Limits()
        limits.targetBytesMax = 10
        let longest = start + String(repeating: "a", count: 10 - start.count)
        #expect(request(head("GET \(longest) HTTP/1.1", "Host: a"), limits: limits).head != nil)
        let bytes = Array("GET \(longest)aaaaa".utf8)
        #expect(request(bytes, limits: limits).fault == .targetTooLong)
        #expect(bytesUntilFault(bytes, limits: limits) == "GET ".count + 11)
    }

    @Test func `refuses a long method before it ends`() {
        let bytes = Array(String(repeating: "A", count: 40).utf8)
        #expect(request(bytes).fault == .badMethod)
        #expect(bytesUntilFault(bytes) == 33)
    }

    @Test func `takes a head of exactly the limit and no more`() {
        let bytes = head("GET / HTTP/1.1", "Host: a", "X: yyyyyyyyyy")
        var limits = Limits()
        limits.headBytesMax = bytes.count
        #expect(request(bytes, limits: limits).head != nil)
        limits.headBytesMax = bytes.count - 1
        #expect(request(bytes, limits: limits).fault == .headTooLarge)
        #expect(bytesUntilFault(bytes, limits: limits) == bytes.count - 1)
    }

    @Test func `counts the body as no part of the head`() {
        let bytes = head("POST / HTTP/1.1", "Host: a", "Content-Length: 100")
        var limits = Limits()
        limits.headBytesMax = bytes.count
        let body = [UInt8](repeating: 0x61, count: 100)
        #expect(request(bytes + body, limits: limits).head?.headLength == bytes.count)
    }

    @Test func `takes as many fields as the limit and no more`() {
        var limits = Limits()
        limits.fieldsMax = 3
        let three = head("GET / HTTP/1.1", "Host: a", "X: 1", "X: 2")
        let four = head("GET / HTTP/1.1", "Host: a", "X: 1", "X: 2", "X: 3")
        #expect(request(three, limits: limits).lines.count == 3)
        #expect(request(four, limits: limits).fault == .tooManyFields)
    }

    @Test func `takes no more fields than the table has room for`() throws {
        var parser = RequestParser()
        var table = FieldTable(capacity: 1)
        let bytes = head("GET / HTTP/1.1", "Host: a", "X: 1")
        #expect(throws: WireError.tooManyFields) {
            try parser.parse(bytes.span, into: &table)
        }
    }

    @Test(arguments: [
        ("\u{16}\u{3}\u{1}", WireError.looksLikeTLS, 1),
        ("\0", .badMethod, 1),
        ("{\"a\"", .badMethod, 1),
        ("GET /\r", .badTarget, 6),
        ("GET / HTTQ", .badRequestLine, 10),
        ("GET / HTTP/2", .unsupportedVersion, 12),
        ("GET / HTTP/1.1\r\nHost :", .badField, 21),
        ("GET / HTTP/1.1\r\nHost: a\r\n ", .badField, 26),
        ("GET / HTTP/1.1\r\nX: \0", .badField, 20),
    ])
    func `finds a fault at the byte that shows it`(bytes: String, fault: WireError, count: Int) {
        let bytes = Array(bytes.utf8)
        #expect(request(bytes).fault == fault)
        #expect(bytesUntilFault(bytes) == count)
    }

    // One call a byte must cost about a byte: a head is never read from its start again.
    @Test(.timeLimit(.minutes(1)))
    func `stays linear when a large head arrives byte by byte`() {
        var lines = ["GET / HTTP/1.1", "Host: a"]
        for i in 0..<60 { lines.append("X-\(i): " + String(repeating: "v", count: 1_000)) }
        let bytes = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        var parser = RequestParser()
        var table = FieldTable(capacity: 128)
        var length: Int?
        for count in 0...bytes.count {
            let span = bytes.span.extracting(0..<count)
            do throws(WireError) {
                length = try parser.parse(span, into: &table)?.headLength
            } catch {
                Issue.record("\(error)")
            }
        }
        #expect(length == bytes.count)
    }
}
