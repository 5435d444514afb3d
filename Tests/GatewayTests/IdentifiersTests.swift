import Testing

@testable import Gateway

@Suite struct `Identifiers` {
    private func hex(_ digits: Int, seed: UInt64) -> String {
        var source = IdentifierSource(seed: seed)
        var bytes: [UInt8] = []
        source.appendHex(digits, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [0, 1, 15, 16, 17, 32, 33])
    func `have as many lower-case hexadecimal digits as asked for`(digits: Int) {
        let text = hex(digits, seed: 7)
        #expect(text.count == digits)
        #expect(text.allSatisfy { "0123456789abcdef".contains($0) })
    }

    @Test func `replay from the seed`() {
        #expect(hex(64, seed: 1) == hex(64, seed: 1))
        #expect(hex(64, seed: 1) != hex(64, seed: 2))
    }

    @Test func `do not repeat`() {
        var source = IdentifierSource(seed: 3)
        let numbers = (0..<10_000).map { _ in source.next() }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func `are never all zero`() {
        // The 16 digits of a span id must not be zero (W3C Trace Context §3.2.2.4).
        for seed in UInt64(0)..<2_000 {
            #expect(hex(16, seed: seed) != "0000000000000000")
        }
    }

    @Test func `are appended to what is there`() {
        var source = IdentifierSource(seed: 3)
        var bytes = Array("00-".utf8)
        source.appendHex(2, to: &bytes)
        #expect(bytes.count == 5)
        #expect(bytes.starts(with: Array("00-".utf8)))
    }
}
