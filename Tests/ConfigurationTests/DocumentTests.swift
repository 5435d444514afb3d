// The tree of values: what Foundation's decoder makes of JSON5.
import Testing

@testable import Configuration

@Suite struct `Document` {
    @Test func `keeps the kind of every value`() throws {
        let text = "{ a: 1, b: [1.5, 'x', true, null], /* c */ \"d\": { e: 0x10, }, f: +2, g: .5 }"
        let expected = JSONValue.object([
            "a": .integer(1),
            "b": .list([.decimal(1.5), .string("x"), .flag(true), .null]),
            "d": .object(["e": .integer(16)]),
            "f": .integer(2),
            "g": .decimal(0.5),
        ])
        #expect(try decodeDocument(text) == expected)
    }

    @Test(arguments: ["", "{", "{a}", "{a:}", "nonsense", "{a:1}}"])
    func `refuses what is no JSON5`(_ text: String) {
        #expect(throws: DocumentError.self) { try decodeDocument(text) }
    }

    @Test func `says where a number is unusable`() {
        let error = #expect(throws: DocumentError.self) { try decodeDocument("{a: [1, 01]}") }
        #expect(error?.path == [.key("a"), .index(1)])
    }

    @Test(arguments: ["", "plain", "\"", "\\", "a\nb\r\t", "\u{1}\u{7f}", "é✓", "${A}"])
    func `reads back what is quoted`(_ text: String) throws {
        #expect(try decodeDocument(quote(text)) == .string(text))
    }
}
