// Trailers: what may be passed on, and their bounds.

import HTTPWire
import Testing

@Suite struct `Trailer reader` {
    // RFC 9110 §6.5.1: wire rule 15.
    @Test func `keeps lines in order, in plain form`() {
        let body = "0\r\ngrpc-status:0\r\nX-Sum: \t a b \r\ngrpc-status: 1\r\n\r\n"
        let decoded = unchunk(body + "next")
        #expect(decoded.trailers == "grpc-status: 0\r\nX-Sum: a b\r\ngrpc-status: 1\r\n")
        #expect(decoded.consumed == body.utf8.count)
    }

    // RFC 9110 §6.5.1, §6.5.2: what frames, routes or authenticates is dropped.
    @Test(arguments: [
        "Content-Length: 5", "transfer-encoding: chunked", "Host: a", "Connection: x",
        "Content-Type: a/b", "Set-Cookie: a", "Authorization: a", "X-Forwarded-For: a",
        "X-Sluice-Replica: a", "Trailer: a", "TE: a", "Expect: 100-continue", "Cache-Control: a",
        "Max-Forwards: 1", "X_Forwarded_For: a", "Content_Length: 5",
    ])
    func `drops a field that has no place there`(line: String) {
        let decoded = unchunk("0\r\nA: 1\r\n\(line)\r\nB: 2\r\n\r\n")
        #expect(decoded.hasEnded)
        #expect(decoded.trailers == "A: 1\r\nB: 2\r\n")
    }

    @Test func `keeps Server-Timing, which comes best last`() {
        #expect(unchunk("0\r\nServer-Timing: a\r\n\r\n").trailers == "Server-Timing: a\r\n")
    }

    // RFC 9112 §7.1.2, §5.
    @Test(arguments: [
        "0\r\n\n", "0\r\n\rx", "0\r\n: a\r\n\r\n", "0\r\nA\r\n\r\n", "0\r\nA : b\r\n\r\n",
        "0\r\n A: b\r\n\r\n", "0\r\nA: b\r\n c\r\n\r\n", "0\r\nA: b\n\r\n", "0\r\nA: b\r\n\n",
        "0\r\nA: \0\r\n\r\n", "0\r\nA: b\rc\r\n\r\n", "0\r\nGET / HTTP/1.1\r\n\r\n",
    ])
    func `refuses a malformed section`(body: String) {
        #expect(unchunk(body).fault == .badTrailer)
    }

    // Wire rule 11.
    @Test func `takes as many lines as the limit and no more`() {
        var limits = Limits()
        limits.trailersMax = 2
        #expect(unchunk("0\r\nA: 1\r\nB: 2\r\n\r\n", limits: limits).hasEnded)
        let three = "0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n"
        #expect(unchunk(three, limits: limits).fault == .trailersTooLarge)
    }

    @Test func `takes as many bytes as the limit and no more`() {
        var limits = Limits()
        limits.trailerBytesMax = 8
        #expect(unchunk("0\r\nA: 1\r\n\r\n", limits: limits).hasEnded)
        #expect(unchunk("0\r\nA: 12\r\n\r\n", limits: limits).fault == .trailersTooLarge)
        #expect(unchunk("0\r\nAAAAAAAAAAAA", limits: limits).fault == .trailersTooLarge)
    }

    @Test func `has ended only with the empty line`() {
        let decoded = unchunk("0\r\nA: 1\r\nB: 2\r\n\r")
        #expect(decoded.fault == nil)
        #expect(!decoded.hasEnded)
    }
}
