// Reading settings out of objects, lists and maps.
import Testing

@testable import Configuration

@Suite struct `A section` {
    private func section(_ text: String) throws -> Section {
        let reader = Reader(file: "", positions: Positions(of: text), environment: [:])
        guard case .object(let members) = try decodeDocument(text) else {
            throw DocumentError(path: [])
        }
        return Section(reader: reader, path: [], pattern: "", members: members, fallback: nil)
    }

    @Test func `keeps the default of a setting that is absent or wrong`() throws {
        let section = try section("{ a: 'x' }")
        var (a, b) = (1, 2)
        section.read("a", &a, .integer(0...9))
        section.read("b", &b, .integer(0...9))
        #expect((a, b) == (1, 2))
        #expect(section.reader.diagnostics.count == 1)
    }

    @Test func `notes value, default and origin`() throws {
        let section = try section("{\n a: 5 }")
        var (a, b) = (1, 2)
        section.read("a", &a, .integer(0...9))
        section.read("b", &b, .integer(0...9))
        let settings = section.reader.settings
        #expect(settings.map { $0.value } == [.integer(5), .integer(2)])
        #expect(settings.map { $0.standard } == [.integer(1), .integer(2)])
        #expect(settings.map { $0.origin } == [.file(Position(line: 2, column: 5)), .standard])
    }

    @Test func `reads an absent object as an empty one`() throws {
        let section = try section("{}")
        var inner = 7
        section.section("a") { $0.read("b", &inner, .integer(0...9)) }
        #expect(inner == 7)
        #expect(section.reader.settings.map { $0.name } == ["a.b"])
    }

    @Test func `reports a required setting that is missing`() throws {
        let section = try section("{}")
        #expect(section.require("a", Format<Int>.integer(0...9)) == nil)
        #expect(section.reader.diagnostics.map { $0.message } == ["`a` is missing"])
    }

    @Test func `reads members in the order of the file`() throws {
        let section = try section("{ m: { z: 1, 'a': 2, \"\\u0062\": 3 } }")
        let members = section.item("m")?.members(max: 9, expected: "an object") ?? []
        #expect(members.map { $0.name } == ["z", "a", "b"])
        #expect(members.map { $0.item.value } == [.integer(1), .integer(2), .integer(3)])
    }

    @Test func `refuses too many members`() throws {
        let section = try section("{ m: { a: 1, b: 2 } }")
        #expect(section.item("m")?.members(max: 1, expected: "an object") == nil)
        #expect(section.reader.diagnostics.count == 1)
    }
}
