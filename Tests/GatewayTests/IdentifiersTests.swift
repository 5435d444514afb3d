import Testing

@testable import Gateway

@Suite struct `Identifiers` {
    private func hex(words: Int, seed: UInt64) -> String {
        var source = IdentifierSource(seed: seed)
        var bytes: [UInt8] = []
        source.appendHex(words: words, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: 0...3)
    func `have sixteen lower-case hexadecimal digits a word`(words: Int) {
        let text = hex(words: words, seed: 7)
        #expect(text.count == 16 * words)
        #expect(text.allSatisfy { "0123456789abcdef".contains($0) })
    }

    @Test func `replay from the seed`() {
        #expect(hex(words: 4, seed: 1) == hex(words: 4, seed: 1))
        #expect(hex(words: 4, seed: 1) != hex(words: 4, seed: 2))
    }

    @Test func `do not repeat`() {
        var source = IdentifierSource(seed: 3)
        let numbers = (0..<10_000).map { _ in source.next() }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func `are never all zero`() {
        // The 16 digits of a span id must not be zero (W3C Trace Context §3.2.2.4).
        for seed in UInt64(0)..<2_000 {
            #expect(hex(words: 1, seed: seed) != "0000000000000000")
        }
    }

    @Test func `write a number's digits, the highest first`() {
        let digits = UInt64(0x0123_4567_89ab_cdef).hexDigits
        let text = digits.span.indices.map { digits[$0] }
        #expect(String(decoding: text, as: UTF8.self) == "0123456789abcdef")
    }

    @Test func `are appended to what is there`() {
        var source = IdentifierSource(seed: 3)
        var bytes = Array("00-".utf8)
        source.appendHex(words: 1, to: &bytes)
        #expect(bytes.count == 19)
        #expect(bytes.starts(with: Array("00-".utf8)))
    }
}
