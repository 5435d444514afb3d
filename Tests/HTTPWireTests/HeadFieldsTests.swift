// What goes on and what does not (RFC 9110 §7.6.1): wire rule 12.

import Testing

@testable import HTTPWire

@Suite struct `Head fields` {
    @Test(arguments: [
        "Connection: x", "Keep-Alive: timeout=5", "Proxy-Connection: close", "TE: trailers",
        "Trailer: x", "Transfer-Encoding: chunked", "Upgrade: h2c", "HTTP2-Settings: x",
        "Proxy-Authenticate: x", "Proxy-Authorization: x", "Proxy-Authentication-Info: x",
    ])
    func `stop at this hop when they are about one connection`(line: String) {
        let asked = request("GET / HTTP/1.1", "Host: a", line)
        #expect(asked.lines.map(\.isForwarded) == [true, false])
        let answered = response("HTTP/1.1 200 OK", line, "Z: y")
        #expect(answered.lines.map(\.isForwarded) == [false, true])
    }

    @Test func `stop at this hop when Connection names them`() {
        let outcome = request(
            "GET / HTTP/1.1",
            "Foo: 1",
            "Host: a",
            "Connection: close, FOO , authorization",
            "foo: 2",
            "Food: 3",
            "Authorization: b",
            "Bar: 4",
            "Connection: bar"
        )
        #expect(outcome.lines.filter(\.isForwarded).map(\.text) == ["Host", "Food"])
    }

    @Test func `stop at this hop in responses too`() {
        let outcome = response("HTTP/1.1 200 OK", "X: 1", "Connection: x", "Content-Length: 0")
        #expect(outcome.lines.map(\.isForwarded) == [false, false, true])
    }

    @Test(arguments: [
        "Host", "Content-Length", "Via", "Date", "X-Forwarded-For", "X-Forwarded-Proto",
        "X-Forwarded-Host", "Forwarded", "X-Request-ID", "traceparent", "tracestate",
        "X-Request-Timeout", "X-Sluice-Priority", "X-Sluice-Anything", "Set-Cookie",
        "Content-Type", "Max-Forwards",
    ])
    func `are not stripped by Connection where others rely on them`(name: String) throws {
        let value = name == "Content-Length" ? "5" : "a"
        let lines = ["\(name): \(value)", name == "Host" ? "X: y" : "Host: a"]
        let bytes = head(
            "POST / HTTP/1.1",
            lines[0],
            lines[1],
            "Connection: \(name), close"
        )
        let outcome = request(bytes)
        #expect(outcome.lines.first?.isForwarded == true)
        #expect(outcome.head?.keepAlive == false)
    }

    // Framing stays what it was, whatever Connection says.
    @Test func `keep their framing when Connection names it`() {
        let length = request(
            "POST / HTTP/1.1",
            "Host: a",
            "Connection: content-length",
            "Content-Length: 5"
        )
        #expect(length.head?.framing == .length(5))
        let chunked = request(
            "POST / HTTP/1.1",
            "Host: a",
            "Connection: transfer-encoding",
            "Transfer-Encoding: chunked"
        )
        #expect(chunked.head?.framing == .chunked)
    }

    @Test func `ignore options that are no names`() {
        let outcome = request("GET / HTTP/1.1", "Host: a", "Connection: ,, a b, \"x\", ;", "X: y")
        #expect(outcome.lines.map(\.isForwarded) == [true, false, true])
    }

    // Wire rule 11.
    @Test func `take as many Connection options as the limit and no more`() {
        var limits = Limits()
        limits.connectionOptionsMax = 2
        let two = head("GET / HTTP/1.1", "Host: a", "Connection: x", "Connection: ,y,")
        #expect(request(two, limits: limits).head != nil)
        let three = head("GET / HTTP/1.1", "Host: a", "Connection: x, y", "Connection: z")
        #expect(request(three, limits: limits).fault == .tooManyFields)
    }

    // RFC 9110 §6.5.1.
    @Test func `in trailers have no meaning to a gateway`() {
        let allowed = FieldName.allCases.filter(\.isAllowedInTrailers)
        #expect(allowed == [.other, .serverTiming])
    }
}
