// Each kind of setting: what is taken, what is refused, how it is printed.
import Testing

@testable import Configuration

@Suite struct `Formats` {
    /// Reads one value; nil when it is refused, and then there must be a report.
    private func read<Value>(
        _ format: Format<Value>,
        _ text: String,
        environment: [String: String] = [:]
    ) throws -> Value? {
        let reader = Reader(file: "", positions: Positions(of: text), environment: environment)
        let item = Item(
            reader: reader,
            path: [],
            pattern: "",
            value: try decodeDocument(text)
        )
        let value = format.parse(item)
        #expect((value == nil) == !reader.diagnostics.isEmpty)
        return value
    }

    @Test(
        arguments: [
            ("1", 1), ("5", 5), ("0x3", 3), ("\"${N}\"", 4), ("0", nil), ("6", nil), ("1.5", nil),
            ("'1'", nil), ("true", nil), ("null", nil), ("[]", nil), ("'${X}'", nil), ("1e30", nil),
        ] as [(String, Int?)]
    )
    func `of whole numbers`(_ text: String, _ number: Int?) throws {
        #expect(try read(.integer(1...5), text, environment: ["N": "4"]) == number)
    }

    @Test(arguments: ["'none'", "'${NONE:-none}'", "'${WORD}'"])
    func `may be replaced by a word, also one that a variable says`(_ text: String) throws {
        let format = Format<Int>.integer(1...5).or("none")
        #expect(try read(format, text, environment: ["WORD": "none"]) == .some(nil))
        #expect(try read(format, "'${WORD}'", environment: ["WORD": "3"]) == .some(3))
        #expect(try read(format, "'${WORD}'", environment: ["WORD": "some"]) == nil)
    }

    @Test(
        arguments: [
            ("0", 0), ("0.5", 0.5), ("1", 1), ("'${N}'", 0.25), ("-0.1", nil), ("1.01", nil),
            ("NaN", nil), ("Infinity", nil), ("'0.5'", nil),
        ] as [(String, Double?)]
    )
    func `of numbers`(_ text: String, _ number: Double?) throws {
        #expect(try read(.decimal(0...1), text, environment: ["N": "0.25"]) == number)
    }

    @Test(
        arguments: [
            ("true", true), ("false", false), ("'${T}'", true), ("'true'", nil), ("1", nil),
        ] as [(String, Bool?)]
    )
    func `of flags`(_ text: String, _ flag: Bool?) throws {
        #expect(try read(.flag, text, environment: ["T": "true"]) == flag)
    }

    @Test(
        arguments: [
            ("'5s'", .seconds(5)), ("'${D:-1s}'", .seconds(1)), ("5", nil), ("'5'", nil),
            ("'11s'", nil), ("'999ms'", nil),
        ] as [(String, Duration?)]
    )
    func `of durations`(_ text: String, _ duration: Duration?) throws {
        #expect(try read(.duration(.seconds(1) ... .seconds(10)), text) == duration)
    }

    @Test func `of sizes`() throws {
        #expect(try read(.size(1...2048), "'2KiB'") == 2048)
        #expect(try read(.size(1...2048), "'3KiB'") == nil)
        #expect(try read(.size(1...2048), "2048") == nil)
    }

    @Test func `of texts`() throws {
        #expect(try read(.text("a text", max: 3), "'abc'") == "abc")
        #expect(try read(.text("a text", max: 3), "'abcd'") == nil)
        #expect(try read(.text("a text"), "''") == nil)
        #expect(try read(.text("a text"), "'${NUL}'", environment: ["NUL": "\0"]) == nil)
    }

    @Test func `that allow a word instead`() throws {
        let format = Format<Int>.integer(1...5).or("auto")
        #expect(try read(format, "'auto'") == .some(nil))
        #expect(try read(format, "3") == 3)
        #expect(try read(format, "'Auto'") == nil)
        #expect(format.print(nil) == .string("auto"))
        #expect(format.print(3) == .integer(3))
    }

    @Test func `of lists report each wrong element`() throws {
        let text = "[1, 9, 'x', 2]"
        let reader = Reader(file: "", positions: Positions(of: text), environment: [:])
        let item = Item(
            reader: reader,
            path: [],
            pattern: "",
            value: try decodeDocument(text)
        )
        #expect(Format<Int>.integer(1...5).list(max: 9, of: "numbers").parse(item) == nil)
        #expect(reader.diagnostics.map { $0.column } == [5, 8])
    }

    @Test func `of lists have a longest`() throws {
        let format = Format<Int>.integer(1...5).list(max: 2, of: "numbers")
        #expect(try read(format, "[1, 2]") == [1, 2])
        #expect(try read(format, "[1, 2, 3]") == nil)
        #expect(try read(format, "1") == nil)
    }

    @Test func `of choices propose the nearest word`() throws {
        let text = "'finsh'"
        let reader = Reader(file: "", positions: Positions(of: text), environment: [:])
        let item = Item(
            reader: reader,
            path: [],
            pattern: "",
            value: try decodeDocument(text)
        )
        let format = Format<Int>.choice([("cancel", 1), ("finish", 2)])
        #expect(format.parse(item) == nil)
        #expect(reader.diagnostics.first?.hint == "did you mean \"finish\"?")
        #expect(format.print(2) == .string("finish"))
    }
}
