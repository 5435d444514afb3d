// Reason phrases of the statuses sluice sends (RFC 9110 §15).

import HTTPWire
import Testing

@Suite struct `Reason phrase` {
    @Test(
        arguments: [
            (100, "Continue"), (200, "OK"), (204, "No Content"), (304, "Not Modified"),
            (413, "Content Too Large"), (429, "Too Many Requests"), (502, "Bad Gateway"),
        ] as [(UInt16, String)]
    )
    func `is the registered one`(status: UInt16, phrase: String) {
        #expect("\(reasonPhrase(status))" == phrase)
    }

    // The statuses of sluice's own answers.
    @Test(
        arguments: [
            400, 404, 408, 413, 414, 417, 421, 429, 431, 501, 502, 503, 504, 505,
        ] as [UInt16]
    )
    func `exists for every answer of our own`(status: UInt16) {
        #expect(reasonPhrase(status).utf8CodeUnitCount > 0)
    }

    @Test(arguments: [0, 299, 499, 599, 999] as [UInt16])
    func `is empty for a status without one`(status: UInt16) {
        #expect(reasonPhrase(status).utf8CodeUnitCount == 0)
    }
}
