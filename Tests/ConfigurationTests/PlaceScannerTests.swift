// The scanner: it agrees with Foundation's decoder on what JSON5 is, and says what is wrong.
import Foundation
import Testing

@testable import Configuration

@Suite struct `Place scanner` {
    @Test(arguments: [
        ("{a:1,,}", 5, "expected a key or `}`, found `,`"),
        ("{a:1 b:2}", 3, "expected `,` or `}` after this, found `b`"),
        ("[1 2]", 1, "expected `,` or `]` after this, found `2`"),
        ("{a 1}", 3, "expected `:` after the key `a`, found `1`"),
        ("{a:}", 3, "expected a value, found `}`"),
        ("{a:tru}", 3, "expected a value, found `tru`"),
        ("{a:01}", 3, "expected a value, found `01`"),
        ("{a:1.2.3}", 3, "expected a value, found `1.2.3`"),
        ("{1a:1}", 1, "expected a key or `}`, found `1a`"),
        ("{a-b:1}", 1, "a key with `-` in it needs quotes"),
        ("{a:'x}", 3, "this string is never closed"),
        ("{a:\"x\ny\"}", 3, "this string is never closed"),
        ("{a:\"\t\"}", 4, "a control character inside a string must be written as an escape"),
        ("{a:\"\\u12\"}", 4, "expected 4 hexadecimal digits after this"),
        ("{a:\"\\u0000\"}", 4, "a NUL cannot stand in a string"),
        ("{a:[1,{b:2}", 3, "this `[` is never closed"),
        ("{a:", 0, "this `{` is never closed"),
        ("{a:1} x", 6, "expected the end of the file, found `x`"),
        ("{a:1 /* x }", 5, "this comment is never closed"),
        ("", 0, "the file holds no settings"),
        (" // x", 0, "the file holds no settings"),
        ("{a:\u{201C}x\u{201D}}", 3, "expected a value, found `\u{201C}x\u{201D}`"),
    ])
    func `says what is wrong and where`(_ text: String, _ offset: Int, _ message: String) {
        let mistake = PlaceScanner(Array(text.utf8)).mistake
        #expect(mistake?.message == message)
        #expect(mistake?.offset == offset)
        #expect(throws: DocumentError.self) { try decodeDocument(text) }
    }

    @Test(arguments: [
        "{}", "[]", "1", "{a:1,}", "[1,]", "{a:+1,b:-.5,c:1e3,d:1E-3,e:0x1F,f:1.}",
        "{'a':'it\\'s',\"b\":\"\\n\\t\\\\ \\u00e9\"}", "/* x */ { // y\n a : 1 }\n",
        "{$a_b:1,é:2}", "{a:'x\\\ny'}", "{a:true,b:false,c:null}", "\u{FEFF}{a:1}",
    ])
    func `has nothing to say about JSON5`(_ text: String) {
        #expect(PlaceScanner(Array(text.utf8)).mistake?.message == nil)
        #expect(throws: Never.self) { try decodeDocument(text) }
    }

    @Test func `refuses deep nesting before it exhausts the stack`() {
        let text = String(repeating: "[", count: 100_000)
        #expect(PlaceScanner(Array(text.utf8)).mistake?.message == "nested deeper than 32 levels")
    }

    @Test func `notes keys that stand twice, in every spelling`() {
        let scanner = PlaceScanner(Array("{a:1, 'a':2, \"\\u0061\":3, b:{a:1}}".utf8))
        #expect(scanner.duplicates.map { $0.offset } == [6, 13])
        #expect(scanner.duplicates.allSatisfy { $0.key == "a" && $0.firstOffset == 1 })
    }

    @Test func `gives every broken text a place`() {
        var random = SplitMix(state: 8_675_309)
        let seed = Array(
            "{a:[1,2.5,'x\\n'],/*c*/\"b\":{c:true,d:null,},// e\n f:-0x1F,g:[{},[]],}".utf8
        )
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let index = Int.random(in: bytes.indices, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes.remove(at: index)
                case 1: bytes[index] = seed.randomElement(using: &random) ?? 0
                default: bytes.insert(seed.randomElement(using: &random) ?? 0, at: index)
                }
            }
            let text = String(decoding: bytes, as: UTF8.self)
            let mistake = PlaceScanner(Array(text.utf8)).mistake
            let isSound = (try? decodeDocument(text)) != nil
            #expect(isSound || mistake != nil, "\(text.debugDescription)")
            #expect((0...text.utf8.count).contains(mistake?.offset ?? 0))
        }
    }
}

/// A small seeded generator, so that a failure comes again.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
