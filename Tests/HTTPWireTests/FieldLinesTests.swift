// The syntax of field lines, below any meaning (RFC 9112 §5).

import Testing

@testable import HTTPWire

@Suite struct `Field lines` {
    @Test func `end at the empty line`() throws {
        let bytes = Array("A: b\r\nHost:c\r\n\r\nrest".utf8)
        var lines = FieldLines(at: 0)
        var names: [FieldName] = []
        var field = Field()
        while try lines.next(bytes.span, into: &field) == .field {
            names.append(field.name)
        }
        #expect(names == [.other, .host])
        #expect(lines.cursor == bytes.count - 4)
    }

    @Test func `begin wherever the first line ended`() throws {
        let bytes = Array("first\r\nA: b\r\n\r\n".utf8)
        var lines = FieldLines(at: 7)
        var field = Field()
        #expect(try lines.next(bytes.span, into: &field) == .field)
        #expect(field.nameRange == ByteRange(7..<8))
        #expect(field.valueRange == ByteRange(10..<11))
    }

    // RFC 9112 §5.1: blanks around the value are no part of it, those inside are.
    @Test(arguments: [
        ("A:b", "b"), ("A: b", "b"), ("A:\t b \t", "b"), ("A: b  c ", "b  c"), ("A:", ""),
        ("A: :", ":"), ("A: b: c", "b: c"),
    ])
    func `have a value without the blanks around it`(line: String, value: String) throws {
        let bytes = Array("\(line)\r\n".utf8)
        var lines = FieldLines(at: 0)
        var field = Field()
        #expect(try lines.next(bytes.span, into: &field) == .field)
        #expect(text(bytes, field.valueRange) == value)
    }

    @Test func `refuse a name of more than 4,096 bytes`() throws {
        let longest = Array((String(repeating: "n", count: 4_096) + ": v\r\n").utf8)
        var lines = FieldLines(at: 0)
        var field = Field()
        #expect(try lines.next(longest.span, into: &field) == .field)
        let longer = Array(String(repeating: "n", count: 4_097).utf8)
        lines = FieldLines(at: 0)
        #expect(throws: WireError.headTooLarge) { try lines.next(longer.span, into: &field) }
    }
}
