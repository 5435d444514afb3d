// Where keys and values stand.
import Testing

@testable import Configuration

@Suite struct `Positions in a text` {
    private static let text =
        "{\n  listeners: [\n    { \"address\": 'x' }, // one\r\n    5,\n  ],\n"
        + "  'é': { é: \"é\", b: 1 },\n}"
    private let positions = Positions(of: Self.text)

    @Test func `of values are those of their first character`() {
        #expect(positions.value(at: []) == Position(line: 1, column: 1))
        #expect(positions.value(at: [.key("listeners")]) == Position(line: 2, column: 14))
        let address: [PathStep] = [.key("listeners"), .index(0), .key("address")]
        #expect(positions.value(at: address) == Position(line: 3, column: 18))
        #expect(
            positions.value(at: [.key("listeners"), .index(1)]) == Position(line: 4, column: 5)
        )
    }

    @Test func `count characters, not bytes`() {
        let path: [PathStep] = [.key("é"), .key("b")]
        #expect(positions.value(at: path) == Position(line: 6, column: 21))
        #expect(positions.key("b", at: [.key("é")]) == Position(line: 6, column: 18))
    }

    @Test func `of what is missing are those of what surrounds it`() {
        #expect(positions.value(at: [.key("nothing")]) == Position(line: 1, column: 1))
        let beyond: [PathStep] = [.key("listeners"), .index(7), .key("x")]
        #expect(positions.value(at: beyond) == Position(line: 2, column: 14))
        #expect(positions.key("x", at: [.key("é")]) == Position(line: 6, column: 8))
    }

    @Test func `keep the order of keys`() {
        #expect(positions.keys(at: []) == ["listeners", "é"])
        #expect(positions.keys(at: [.key("é")]) == ["é", "b"])
        #expect(positions.keys(at: [.key("listeners"), .index(1)]) == [])
    }

    @Test func `give lines without their ends`() {
        #expect(positions.line(3) == "    { \"address\": 'x' }, // one")
        #expect(positions.line(7) == "}")
        #expect(positions.line(0) == "")
        #expect(positions.line(8) == "")
    }

    @Test func `beyond the end are the end`() {
        #expect(positions.position(at: 10_000) == Position(line: 7, column: 2))
        #expect(Positions(of: "").position(at: 5) == Position(line: 1, column: 1))
    }
}
