// Response heads: what they say, what is refused, and what becomes of the connection.

import HTTPWire
import Testing

@Suite struct `Response parser` {
    @Test func `reads every part of a head`() throws {
        let bytes = head(
            "HTTP/1.1 201 Was made",
            "Server: replica",
            "Content-Type: application/json",
            "Content-Length: 12"
        )
        let outcome = response(bytes + Array("body".utf8))
        let head = try #require(outcome.head)
        #expect(head.status == 201)
        #expect(text(bytes, head.reason) == "Was made")
        #expect(head.version == .http11)
        #expect(head.framing == .length(12))
        #expect(head.keepAlive)
        #expect(head.headLength == bytes.count)
        #expect(head.sawFields == [.server, .contentType, .contentLength])
        #expect(!head.isEventStream)
        #expect(!head.isInformational)
    }

    @Test func `needs more bytes until the last one`() {
        let bytes = head("HTTP/1.1 200 OK", "Content-Length: 0")
        for count in bytes.indices {
            #expect(parseResponse(bytes, prefixes: [count]) == .incomplete)
        }
    }

    // RFC 9112 §4: wire rule 21.
    @Test(arguments: [
        "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 200OK", "HTTP/1.1  200 OK",
        "HTTP/1.1 099 Low", "HTTP/1.1 000 Zero", "HTTP/1.1 600 High", "HTTP/1.1 999 High",
        "HTTP/1.1 2x0 OK", "HTTP/1.1 +20 OK", "HTTP/1.1 -20 OK", "HTTP/1.1\t200 OK",
        "HTTP/1.1", "HTTP/1.1 ", "200 OK", "ICY 200 OK", "http/1.1 200 OK", " HTTP/1.1 200 OK",
        "\r\nHTTP/1.1 200 OK", "HTTP/1 200 OK", "HTTP/1.11 200 OK", "HTTP/1.1 200 a\0b",
        "HTTP/1.1 200 a\rb", "HTTP/1.1 200 a\nb", "HTTP/1.1 200\t", "hello", "<html>",
    ])
    func `refuses a malformed status line`(line: String) {
        #expect(response(line, "Content-Length: 0").fault == .badStatusLine)
    }

    @Test(arguments: ["HTTP/2.0 200 OK", "HTTP/0.9 200 OK"])
    func `refuses another major version`(line: String) {
        #expect(response(line, "Content-Length: 0").fault == .unsupportedVersion)
    }

    // RFC 9112 §4: the reason may be empty; nothing hangs on the blank before it.
    @Test(arguments: [
        ("HTTP/1.1 200 ", ""), ("HTTP/1.1 200", ""), ("HTTP/1.1 200  x", " x"),
        ("HTTP/1.1 200 n\u{e4}h\tx", "n\u{e4}h\tx"),
    ])
    func `takes any reason phrase`(line: String, reason: String) throws {
        let bytes = head(line, "Content-Length: 0")
        #expect(text(bytes, try #require(response(bytes).head).reason) == reason)
    }

    @Test(arguments: ["X : y", " X: y", ": y", "X", "X: a\0b", "X: a\nb", "X: a\r\n b"])
    func `refuses a malformed field line`(line: String) {
        #expect(response("HTTP/1.1 200 OK", "Content-Length: 0", line).fault == .badField)
    }

    // RFC 9112 §9.3, §9.6: wire rule 23.
    @Test(arguments: [
        ("HTTP/1.1 200 OK", ["Content-Length: 1"], true),
        ("HTTP/1.1 200 OK", ["Content-Length: 1", "Connection: close"], false),
        ("HTTP/1.1 200 OK", ["Content-Length: 1", "Connection: keep-alive, close"], false),
        ("HTTP/1.1 200 OK", ["X: y"], false),
        ("HTTP/1.0 200 OK", ["Content-Length: 1"], false),
        ("HTTP/1.0 200 OK", ["Content-Length: 1", "Connection: keep-alive"], true),
        ("HTTP/1.0 200 OK", ["Connection: keep-alive"], false),
        ("HTTP/1.1 204 No Content", [], true),
    ])
    func `knows whether the connection may be used again`(
        status: String,
        lines: [String],
        kept: Bool
    ) {
        let bytes = Array(([status] + lines + ["", ""]).joined(separator: "\r\n").utf8)
        #expect(response(bytes).head?.keepAlive == kept)
    }

    // RFC 9110 §15.2: wire rule 17.
    @Test(arguments: [("100", true), ("102", true), ("103", true), ("200", false), ("404", false)])
    func `tells informational responses apart`(status: String, isInformational: Bool) {
        let head = response("HTTP/1.1 \(status) x", "X: y").head
        #expect(head?.isInformational == isInformational)
    }

    @Test func `reads the final response after an informational one`() throws {
        let first = head("HTTP/1.1 103 Early Hints", "Link: </a>")
        let bytes = first + head("HTTP/1.1 200 OK", "Content-Length: 0")
        var parser = ResponseParser()
        var table = FieldTable(capacity: 8)
        let early = try #require(
            try parser.parse(bytes.span, answering: .get, into: &table)
        )
        #expect(early.headLength == first.count)
        parser.reset()
        let rest = bytes.span.extracting(early.headLength..<bytes.count)
        let final = try parser.parse(rest, answering: .get, into: &table)
        #expect(final?.status == 200)
        #expect(table.count == 1)
    }

    // RFC 9110 §7.8, §15.2.2: wire rule 19.
    @Test func `names the protocol of a 101`() throws {
        let bytes = head(
            "HTTP/1.1 101 Switching Protocols",
            "Connection: Upgrade",
            "Upgrade: websocket"
        )
        let outcome = try #require(response(bytes).head)
        #expect(text(bytes, outcome.upgrade) == "websocket")
        #expect(outcome.framing == BodyFraming.none)
        #expect(!outcome.isInformational)
    }

    @Test(arguments: [
        ["HTTP/1.1 101 x", "X: y"],
        ["HTTP/1.1 101 x", "Upgrade: websocket"],
        ["HTTP/1.1 101 x", "Connection: upgrade"],
        ["HTTP/1.0 101 x", "Connection: upgrade", "Upgrade: websocket"],
    ])
    func `refuses a 101 that names no protocol`(lines: [String]) {
        let bytes = Array((lines + ["", ""]).joined(separator: "\r\n").utf8)
        #expect(response(bytes).fault == .badUpgrade)
    }

    @Test func `takes Upgrade in any other response for an offer`() {
        let lines = response("HTTP/1.1 200 OK", "Connection: upgrade", "Upgrade: h2c")
        #expect(lines.head?.upgrade == nil)
        #expect(lines.head?.status == 200)
    }

    @Test(arguments: [
        ("text/event-stream", true), ("Text/Event-Stream; charset=utf-8", true),
        ("text/event-stream ;x", true), ("text/event-streams", false), ("text/event", false),
        ("application/json", false), ("", false),
    ])
    func `knows an event stream`(type: String, isEventStream: Bool) {
        let head = response("HTTP/1.1 200 OK", "Content-Type: \(type)").head
        #expect(head?.isEventStream == isEventStream)
    }

    // RFC 9110 §5.3: wire rule 15.
    @Test func `keeps every Set-Cookie apart`() {
        let outcome = response("HTTP/1.1 200 OK", "Set-Cookie: a=1", "X: y", "Set-Cookie: b=2")
        #expect(outcome[.setCookie] == ["a=1", "b=2"])
    }

    @Test func `gives Host no meaning`() {
        #expect(response("HTTP/1.1 200 OK", "Host: a b", "Host: c").head?.status == 200)
    }

    @Test func `refuses a head beyond the limits`() {
        var limits = Limits()
        limits.fieldsMax = 2
        let many = head("HTTP/1.1 200 OK", "A: 1", "B: 2", "C: 3")
        #expect(response(many, limits: limits).fault == .tooManyFields)
        limits.headBytesMax = 20
        #expect(response(many, limits: limits).fault == .headTooLarge)
    }
}
