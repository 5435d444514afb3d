// What sluice knows about methods (RFC 9110 §9.2).

import Testing

@testable import HTTPWire

@Suite struct `Request method` {
    // RFC 9110 §9.2.2: wire rule 24 hangs on it.
    @Test(arguments: Method.allCases)
    func `is idempotent when repeating it changes nothing`(method: Method) {
        let idempotent: [Method] = [.get, .head, .put, .delete, .options, .trace]
        #expect(method.isIdempotent == idempotent.contains(method))
    }

    // RFC 9110 §9.2.1.
    @Test(arguments: Method.allCases)
    func `is safe when it only reads`(method: Method) {
        #expect(method.isSafe == [.get, .head, .options, .trace].contains(method))
    }

    // RFC 9110 §7.6.2.
    @Test(arguments: Method.allCases)
    func `counts how often it was forwarded when it asks about the way`(method: Method) {
        #expect(method.countsForwards == [.trace, .options].contains(method))
    }

    @Test func `is another one when only its last eight letters match`() {
        let word = "CONNECT".utf8.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        #expect(Method(length: 7, word: word) == .connect)
        #expect(Method(length: 15, word: word) == .other)
    }
}
