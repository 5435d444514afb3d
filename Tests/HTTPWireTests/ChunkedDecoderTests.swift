// Chunked bodies: what comes out, in one run, and what is refused (RFC 9112 §7.1).

import Testing

@testable import HTTPWire

@Suite struct `Chunked decoder` {
    @Test(arguments: [
        ("0\r\n\r\n", ""),
        ("5\r\nhello\r\n0\r\n\r\n", "hello"),
        ("5\r\nhello\r\n1\r\n \r\n6\r\nworld!\r\n0\r\n\r\n", "hello world!"),
        ("00000005\r\nhello\r\n000\r\n\r\n", "hello"),
        ("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
        ("A\r\n\r\n\r\n\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n\r\n\r\n\r\n"),
        ("3;a=b\r\nabc\r\n0;last\r\n\r\n", "abc"),
        ("3;a=\"b;c\"\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3; a\t=b\r\nabc\r\n0\r\n\r\n", "abc"),
        ("3;\r\nabc\r\n0\r\n\r\n", "abc"),
    ])
    func `takes the framing out`(body: String, data: String) {
        let decoded = unchunk(body)
        #expect(decoded.fault == nil)
        #expect(decoded.hasEnded)
        #expect(decoded.consumed == body.utf8.count)
        #expect(String(decoding: decoded.data, as: UTF8.self) == data)
        #expect(decoded.trailers == "")
    }

    // Wire rule 18: what follows belongs to the next message.
    @Test func `consumes nothing behind its end`() {
        let body = "3\r\nabc\r\n0\r\n\r\n"
        let decoded = unchunk(body + "GET / HTTP/1.1\r\n")
        #expect(decoded.consumed == body.utf8.count)
        #expect(String(decoding: decoded.data, as: UTF8.self) == "abc")
    }

    // Wire rules 6 and 22: an end that did not come is not invented (RFC 9112 §8).
    @Test func `has not ended before the last byte`() {
        let body = Array("3\r\nabc\r\n0\r\n\r\n".utf8)
        for count in body.indices {
            #expect(!decodeChunks(Array(body[..<count]), cuts: [count]).hasEnded)
        }
    }

    // RFC 9112 §7.1, §7.1.1: wire rule 4.
    @Test(arguments: [
        "\r\n", "\n", ";a\r\nabc\r\n", "g\r\n", "-3\r\nabc\r\n", "+3\r\nabc\r\n", "0x3\r\nabc\r\n",
        " 3\r\nabc\r\n", "3 \r\nabc\r\n", "3 ;a\r\nabc\r\n", "3\t\r\nabc\r\n", "3\nabc\r\n",
        "3\rabc\r\n", "3\r\rabc", "3\r\nabc\n", "3\r\nabcd\r\n", "3\r\nabc0\r\n\r\n", "3\r\nabc\rx",
        "3\r\nabc \r\n", "3,\r\nabc\r\n", "3\r\nab\r\n0\r\n\r\n", "3;a\nabc\r\n", "3;a\rb\r\n",
        "3;a\0\r\nabc\r\n", "3_0\r\n", "3.\r\n", "\u{663}\r\n", "0;a\n\r\n",
        "0\n\r\n", "0\r\r\n", "3\r\nabc\r\n\r\n0\r\n\r\n",
    ])
    func `refuses what is no chunk`(body: String) {
        #expect(unchunk(body).fault == .badChunk)
    }

    @Test(arguments: [
        "8000000000000000\r\n", "ffffffffffffffff\r\n", "10000000000000000\r\n",
        "00000000000000003\r\nabc\r\n", "ffffffffffffffffff\r\n",
    ])
    func `refuses a size that overflows or is too long`(body: String) {
        #expect(unchunk(body).fault == .badChunk)
    }

    @Test func `takes the largest size there is`() {
        let decoded = unchunk("7fffffffffffffff\r\nabc")
        #expect(decoded.fault == nil)
        #expect(decoded.data.count == 3)
    }

    // Wire rules 4 and 11: extensions are bounded.
    @Test func `refuses extensions that outweigh the data`() {
        var limits = Limits()
        limits.chunkExtensionBytesMax = 4
        let fits = "1;abc\r\nx\r\n0;a\r\n\r\n"
        #expect(unchunk(fits, limits: limits).hasEnded)
        #expect(unchunk("1;abcde\r\nx\r\n", limits: limits).fault == .badChunk)
        let creeping = String(repeating: "1;ab\r\nx\r\n", count: 8)
        #expect(unchunk(creeping, limits: limits).fault == .badChunk)
        let honest = String(repeating: "2;ab\r\nxx\r\n", count: 8)
        #expect(unchunk(honest, limits: limits).fault == nil)
    }

    @Test func `leaves a single chunk where it is`() throws {
        var bytes = Array("5\r\nhello\r\n".utf8)
        var decoder = ChunkedDecoder()
        var span = bytes.mutableSpan
        let decoded = try decoder.decode(&span)
        #expect(decoded == .init(consumed: 10, dataStart: 3, dataLength: 5, ended: false))
        #expect(bytes == Array("5\r\nhello\r\n".utf8))
    }

    @Test func `moves several chunks into one run`() throws {
        var bytes = Array("2\r\nab\r\n2\r\ncd\r\n3\r\ne".utf8)
        var decoder = ChunkedDecoder()
        var span = bytes.mutableSpan
        let decoded = try decoder.decode(&span)
        #expect(decoded == .init(consumed: 18, dataStart: 3, dataLength: 5, ended: false))
        #expect(String(decoding: bytes[3..<8], as: UTF8.self) == "abcde")
    }

    @Test func `takes nothing more once it ended`() throws {
        var bytes = Array("0\r\n\r\n".utf8)
        var decoder = ChunkedDecoder()
        var span = bytes.mutableSpan
        #expect(try decoder.decode(&span).ended)
        let again = try decoder.decode(&span)
        #expect(again == .init(consumed: 0, dataStart: 0, dataLength: 0, ended: true))
    }
}
