// Where a body ends: the smuggling vectors, each with the section that refuses it.

import HTTPWire
import Testing

@Suite struct `Body framing of requests` {
    @Test(arguments: [
        (["Content-Length: 5"], BodyFraming.length(5)),
        (["Content-Length: 0"], .none),
        (["Content-Length: 007"], .length(7)),
        (["Content-Length: 9223372036854775807"], .length(9_223_372_036_854_775_807)),
        (["content-length:5"], .length(5)),
        (["Transfer-Encoding: chunked"], .chunked),
        (["transfer-encoding: CHUNKED"], .chunked),
        (["Transfer-Encoding:\tchunked \t"], .chunked),
        (["X: y"], .none),
    ])
    func `is decided by one field`(lines: [String], framing: BodyFraming) {
        #expect(outcome(lines).head?.framing == framing)
    }

    // RFC 9112 §6.1, §6.3: wire rule 1.
    @Test(arguments: [
        ["Transfer-Encoding: chunked", "Content-Length: 5"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Content-Length: 0", "X: y", "transfer-encoding: chunked"],
    ])
    func `refuses Transfer-Encoding with Content-Length`(lines: [String]) {
        #expect(outcome(lines).fault == .conflictingFraming)
    }

    // RFC 9110 §8.6, RFC 9112 §6.3: wire rule 2.
    @Test(arguments: [
        ["Content-Length:"],
        ["Content-Length: +5"],
        ["Content-Length: -5"],
        ["Content-Length: 5,"],
        ["Content-Length: 5, 5"],
        ["Content-Length: 5 5"],
        ["Content-Length: 0x5"],
        ["Content-Length: 5a"],
        ["Content-Length: 5;"],
        ["Content-Length: \"5\""],
        ["Content-Length: 5.0"],
        ["Content-Length: 1e3"],
        ["Content-Length: 1_000"],
        ["Content-Length: \u{0665}"],
        ["Content-Length: 9223372036854775808"],
        ["Content-Length: 18446744073709551616"],
        ["Content-Length: 18446744073709551621"],
        ["Content-Length: 99999999999999999999999"],
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "X: y", "content-length: 0"],
        ["Content-Length: 5", "Content-Length:"],
    ])
    func `refuses an invalid or differing Content-Length`(lines: [String]) {
        #expect(outcome(lines).fault == .badContentLength)
    }

    // RFC 9112 §6.3: repeats may be merged; one goes on.
    @Test func `merges a repeated Content-Length`() {
        let outcome = outcome(["Content-Length: 5", "X: y", "Content-Length: 05"])
        #expect(outcome.head?.framing == .length(5))
        #expect(outcome.lines.map(\.isForwarded) == [true, true, true, false])
    }

    // RFC 9112 §6.1, §6.3, §7: wire rule 3.
    @Test(arguments: [
        ["Transfer-Encoding:"],
        ["Transfer-Encoding:\r\n chunked"],
        ["Transfer-Encoding: gzip"],
        ["Transfer-Encoding: identity"],
        ["Transfer-Encoding: xchunked"],
        ["Transfer-Encoding: chunke"],
        ["Transfer-Encoding: chunkedx"],
        ["Transfer-Encoding: \"chunked\""],
        ["Transfer-Encoding: chunked;q=1"],
        ["Transfer-Encoding: chunked, chunked"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: chunked, identity"],
        ["Transfer-Encoding: chunked,"],
        ["Transfer-Encoding: ,chunked"],
        ["Transfer-Encoding: gzip chunked"],
        ["Transfer-Encoding: gzip, chunked, chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding:"],
        ["Transfer-Encoding: identity", "Transfer-Encoding: chunked"],
    ])
    func `refuses a Transfer-Encoding that is not one chunked`(lines: [String]) {
        #expect(outcome(lines).fault == .badTransferEncoding)
    }

    // RFC 9110 §5.5: a control byte is refused before the value is looked at.
    @Test(arguments: [
        "Transfer-Encoding: \u{b}chunked", "Transfer-Encoding: chunked\u{c}",
        "Transfer-Encoding: chu\0nked", "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked", "Transfer-Encoding: x\n chunked",
        " Transfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked",
        "X: y\rTransfer-Encoding: chunked",
        "Content-Length\0: 5", "Content-Length : 5", "Content-Length: 5\r\n 0",
    ])
    func `refuses a disguised framing field`(line: String) {
        #expect(outcome([line]).fault == .badField)
    }

    // RFC 9112 §6.1: 501 for a coding that is not understood.
    @Test(arguments: ["gzip, chunked", "identity,chunked", "foo , chunked"])
    func `knows a body in a coding it does not speak`(value: String) {
        #expect(outcome(["Transfer-Encoding: \(value)"]).fault == .unknownTransferCoding)
    }

    // RFC 9112 §6.1: Transfer-Encoding in HTTP/1.0 is faulty framing.
    @Test func `refuses Transfer-Encoding from HTTP 1_0`() {
        let outcome = request("POST / HTTP/1.0", "Transfer-Encoding: chunked")
        #expect(outcome.fault == .badTransferEncoding)
    }

    @Test func `takes Content-Length from HTTP 1_0`() {
        #expect(request("POST / HTTP/1.0", "Content-Length: 3").head?.framing == .length(3))
    }

    // A server that takes `_` for `-` would see a second framing field.
    @Test(arguments: ["Transfer_Encoding: chunked", "content_length: 5"])
    func `does not forward a framing field spelled with underscores`(line: String) {
        let outcome = outcome([line])
        #expect(outcome.head?.framing == BodyFraming.none)
        #expect(outcome.lines.last?.isForwarded == false)
    }

    @Test func `never forwards Transfer-Encoding as it came`() {
        #expect(outcome(["Transfer-Encoding: chunked"]).lines.last?.isForwarded == false)
    }

    private func outcome(_ lines: [String]) -> Outcome<RequestHead> {
        let all = ["POST / HTTP/1.1", "Host: a"] + lines + ["", ""]
        return request(Array(all.joined(separator: "\r\n").utf8))
    }
}

@Suite struct `Body framing of responses` {
    // RFC 9112 §6.3.
    @Test(arguments: [
        ("HTTP/1.1 200 OK", ["Content-Length: 5"], Method.get, BodyFraming.length(5)),
        ("HTTP/1.1 200 OK", ["Content-Length: 0"], .get, .none),
        ("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], .get, .chunked),
        ("HTTP/1.1 200 OK", ["X: y"], .get, .untilClose),
        ("HTTP/1.0 200 OK", ["X: y"], .get, .untilClose),
        ("HTTP/1.0 200 OK", ["Content-Length: 5"], .get, .length(5)),
        ("HTTP/1.1 200 OK", ["Content-Length: 5"], .head, .none),
        ("HTTP/1.1 200 OK", ["Transfer-Encoding: chunked"], .head, .none),
        ("HTTP/1.1 200 OK", ["X: y"], .head, .none),
        ("HTTP/1.1 204 No Content", ["X: y"], .get, .none),
        ("HTTP/1.1 204 No Content", ["Content-Length: 5"], .get, .none),
        ("HTTP/1.1 304 Not Modified", ["Content-Length: 5"], .get, .none),
        ("HTTP/1.1 304 Not Modified", ["Transfer-Encoding: chunked"], .get, .none),
        ("HTTP/1.1 100 Continue", ["X: y"], .post, .none),
        ("HTTP/1.1 103 Early Hints", ["Content-Length: 5"], .get, .none),
        ("HTTP/1.1 205 Reset Content", ["X: y"], .get, .untilClose),
        ("HTTP/1.1 404 Not Found", ["Content-Length: 5"], .get, .length(5)),
    ])
    func `follows status, method and fields`(
        status: String,
        lines: [String],
        method: Method,
        framing: BodyFraming
    ) {
        #expect(outcome(status, lines, method).head?.framing == framing)
    }

    // RFC 9112 §6.3: wire rule 21.
    @Test(arguments: [
        (["Transfer-Encoding: chunked", "Content-Length: 5"], WireError.conflictingFraming),
        (["Content-Length: 5", "Content-Length: 6"], .badContentLength),
        (["Content-Length: -1"], .badContentLength),
        (["Content-Length: 5, 6"], .badContentLength),
        (["Transfer-Encoding: gzip"], .badTransferEncoding),
        (["Transfer-Encoding: chunked, gzip"], .badTransferEncoding),
        (["Transfer-Encoding: gzip, chunked"], .unknownTransferCoding),
    ])
    func `is refused when in doubt`(lines: [String], fault: WireError) {
        #expect(outcome("HTTP/1.1 200 OK", lines, .get).fault == fault)
        #expect(outcome("HTTP/1.1 200 OK", lines, .head).fault == fault)
    }

    @Test func `refuses Transfer-Encoding from HTTP 1_0`() {
        let lines = ["Transfer-Encoding: chunked"]
        #expect(outcome("HTTP/1.0 200 OK", lines, .get).fault == .badTransferEncoding)
    }

    // RFC 9110 §8.6: wire rule 16.
    @Test(arguments: [("204 No Content", false), ("103 Early Hints", false), ("304 -", true)])
    func `forwards no Content-Length with 204 and 1xx`(status: String, isForwarded: Bool) {
        let outcome = outcome("HTTP/1.1 \(status)", ["Content-Length: 0"], .get)
        #expect(outcome.lines.map(\.isForwarded) == [isForwarded])
    }

    // RFC 9112 §9.2: the bytes behind such a head cannot be told apart from a body.
    @Test(arguments: [
        ("204 No Content", "Content-Length: 5", false),
        ("204 No Content", "Transfer-Encoding: chunked", false),
        ("204 No Content", "Content-Length: 0", true),
        ("304 Not Modified", "Content-Length: 5", true),
    ])
    func `gives up a connection whose response contradicts itself`(
        status: String,
        line: String,
        kept: Bool
    ) {
        #expect(outcome("HTTP/1.1 \(status)", [line], .get).head?.keepAlive == kept)
    }

    private func outcome(
        _ status: String,
        _ lines: [String],
        _ method: Method
    ) -> Outcome<ResponseHead> {
        let bytes = Array(([status] + lines + ["", ""]).joined(separator: "\r\n").utf8)
        return response(bytes, answering: method)
    }
}
