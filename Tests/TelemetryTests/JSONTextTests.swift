// JSON spelling: escapes, repair of what is not UTF-8, numbers.
import Foundation
import Testing

@testable import Telemetry

@Suite struct `JSON text` {
    @Test(arguments: [
        ("plain", "plain"), ("a\"b\\c", #"a\"b\\c"#), ("a\nb\tc\u{0}", #"a\u000ab\u0009c\u0000"#),
        ("\u{1B}[31m", #"\u001b[31m"#), ("\u{7F}", #"\u007f"#), ("\u{9B}31m", #"\u009b31m"#),
        ("é☃😀", "é☃😀"), ("\u{A0}", "\u{A0}"),
    ])
    func `escapes what a line or a terminal would act on`(text: String, escaped: String) {
        #expect(Self.escaped(Array(text.utf8)) == escaped)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xC1, 0xBF], [0x80], [0xE2, 0x98], [0xE0, 0x80, 0x80],
            [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xC2],
        ] as [[UInt8]]
    )
    func `repairs what is not UTF-8`(bytes: [UInt8]) {
        let repaired = String(repeating: "\u{FFFD}", count: bytes.count)
        #expect(Self.escaped(bytes) == repaired)
        #expect(Self.escaped([0x61] + bytes + [0x62]) == "a\(repaired)b")
    }

    @Test func `agrees with the standard library on every scalar`() {
        for value in UInt32(0x80)...0x10FFFF {
            guard let scalar = Unicode.Scalar(value), value >= 0xA0 else {
                continue
            }
            let bytes = Array(String(scalar).utf8)
            guard UTF8Sequence.length(in: bytes.span, at: 0) == bytes.count else {
                Issue.record("U+\(String(value, radix: 16))")
                return
            }
        }
    }

    @Test func `gives every byte pair back to a JSON reader`() throws {
        for first in UInt8.min...UInt8.max {
            var all: [UInt8] = []
            for second in UInt8.min...UInt8.max {
                all += [first, second, 0x2C]
            }
            let json = "\"" + Self.escaped(all) + "\""
            let read = try JSONDecoder().decode(String.self, from: Data(json.utf8))
            // Single invalid bytes are replaced one by one here, perhaps together elsewhere.
            let expected = String(decoding: all, as: UTF8.self)
            func plain(_ text: String) -> [Unicode.Scalar] {
                text.unicodeScalars.filter { $0 != "\u{FFFD}" }
            }
            #expect(plain(read) == plain(expected))
        }
    }

    @Test(arguments: [0, 9, 10, 1_234_567_890, UInt64.max - 1, UInt64.max])
    func `writes numbers in decimal`(value: UInt64) {
        #expect(Self.text { JSONText.write(value, into: &$0) } == String(value))
    }

    @Test(arguments: [
        (Duration.zero, "0.000"), (.microseconds(1), "0.001"), (.nanoseconds(999), "0.000"),
        (.milliseconds(12), "12.000"), (.seconds(3) + .microseconds(45), "3000.045"),
        (.seconds(-1), "0.000"), (.seconds(Int64.max), "18446744073709551.615"), (nil, "null"),
    ])
    func `writes milliseconds with three decimals`(duration: Duration?, text: String) {
        #expect(Self.text { JSONText.write(milliseconds: duration, into: &$0) } == text)
    }

    private static func escaped(_ bytes: [UInt8]) -> String {
        text(capacity: bytes.count * JSONText.growthMax) {
            JSONText.writeEscaped(bytes.span, into: &$0)
        }
    }

    private static func text(
        capacity: Int = 64,
        _ write: (inout OutputSpan<UInt8>) -> Void
    ) -> String {
        String(decoding: [UInt8](capacity: capacity, initializingWith: write), as: UTF8.self)
    }
}
