// The default limits against what the standard asks for.

import HTTPWire
import Testing

@Suite struct `Parser limits` {
    // RFC 9112 §3: "recommended that all HTTP senders and recipients support, at a minimum,
    // request-line lengths of 8000 octets".
    @Test func `leave room for a target of 8,000 bytes`() {
        #expect(Limits().targetBytesMax >= 8_000)
        #expect(Limits().headBytesMax > Limits().targetBytesMax)
    }

    // RFC 9112 §2.2: at least one empty line before the request line.
    @Test func `leave room for an empty line before a request`() {
        #expect(Limits().leadingEmptyLinesMax >= 1)
    }
}
