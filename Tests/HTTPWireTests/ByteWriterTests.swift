// Writing into borrowed memory: every kind of value, and what happens at the end of it.

import Testing

@testable import HTTPWire

@Suite struct `Byte writer` {
    @Test func `appends every kind of value`() {
        let text = written { writer in
            writer.write("lit")
            writer.write(byte: 0x2d)
            writer.write([0x61, 0x62].span)
            writer.write(string: "-ü\u{1f30a}")
            writer.write("")
            writer.write(string: String(repeating: "long", count: 10))
        }
        #expect(text == "lit-ab-ü\u{1f30a}" + String(repeating: "long", count: 10))
    }

    @Test(arguments: [
        (UInt64(0), "0", "0"), (9, "9", "9"), (10, "10", "a"), (255, "255", "ff"),
        (4_096, "4096", "1000"), (.max, "18446744073709551615", "ffffffffffffffff"),
    ])
    func `writes numbers`(number: UInt64, decimal: String, hex: String) {
        #expect(written { $0.write(decimal: number) } == decimal)
        #expect(written { $0.write(hex: number) } == hex)
    }

    @Test(arguments: [
        (UInt64(0), 3, "000"), (42, 3, "042"), (1_234, 3, "234"), (99_999, 5, "99999"),
    ])
    func `writes as many digits as are wanted`(number: UInt64, width: Int, digits: String) {
        #expect(written { $0.write(decimal: number, width: width) } == digits)
        #expect(written(capacity: width - 1) { $0.write(decimal: number, width: width) } == "")
    }

    @Test(arguments: [
        (UInt64(0x0123_4567_89ab_cdef), "0123456789abcdef"), (0, "0000000000000000"),
        (.max, "ffffffffffffffff"), (0x9a9f_a0af_0990_0a0f, "9a9fa0af09900a0f"),
    ])
    func `writes all the digits of a number, the highest first`(number: UInt64, digits: String) {
        #expect(written { $0.write(hexDigits: number) } == digits)
        #expect(written(capacity: 15) { $0.write(hexDigits: number) } == "")
    }

    @Test func `writes nothing once something did not fit`() {
        var memory = [UInt8](repeating: 0x2e, count: 8)
        var span = memory.mutableSpan
        let hasOverflowed = span.withWriter { writer in
            writer.write("12345")
            writer.write("6789")
            writer.write(byte: 0x78)
            writer.write(decimal: 1)
            writer.write(string: "y")
            writer.write([0x7a].span)
            #expect(writer.count == 5)
            return writer.hasOverflowed
        }
        #expect(hasOverflowed)
        #expect(String(decoding: memory, as: UTF8.self) == "12345...")
    }

    @Test func `fills the memory to its last byte`() {
        var memory = [UInt8](repeating: 0x2e, count: 8)
        var span = memory.mutableSpan
        let hasOverflowed = span.withWriter { writer in
            writer.write("1234567")
            writer.write(byte: 0x38)
            return writer.hasOverflowed
        }
        #expect(!hasOverflowed)
        #expect(String(decoding: memory, as: UTF8.self) == "12345678")
    }

    @Test func `writes into no memory at all`() {
        #expect(written(capacity: 0) { $0.write("a") } == "")
    }

    @Test func `shows what was written`() {
        var memory = [UInt8](repeating: 0, count: 8)
        var span = memory.mutableSpan
        span.withWriter { writer in
            writer.write("abc")
            let isShown = writer.written.equals("abc")
            #expect(isShown)
        }
    }

    @Test(arguments: [(4, 1, 3), (4, 0, 6), (2, 2, 4), (5, 4, 0), (10, 0, 0)])
    func `moves bytes down, overlapping or not`(source: Int, target: Int, length: Int) {
        var bytes = Array("0123456789".utf8)
        var expected = bytes
        for i in 0..<length { expected[target + i] = bytes[source + i] }
        var span = bytes.mutableSpan
        span.moveDown(from: source, to: target, length: length)
        #expect(bytes == expected)
    }
}
