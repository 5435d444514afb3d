import Testing

@testable import sluice

@Suite struct `Command line arguments` {
    @Test(arguments: [["--level", "3", "X"], ["--level=3", "X"], ["X", "--level", "3"]])
    func `take an option with its value wherever it stands`(words: [String]) throws {
        let arguments = try Arguments(words, for: .sample)
        #expect(arguments.options == ["level": "3"] && arguments.operands == ["X"])
    }

    @Test func `take options without a value`() throws {
        #expect(try Arguments(["--plain", "X"], for: .sample).has("plain"))
    }

    @Test func `leave alone what stands after two dashes`() throws {
        let arguments = try Arguments(["--", "ls", "--level", "-l"], for: .runner)
        #expect(arguments.rest == ["ls", "--level", "-l"] && arguments.options.isEmpty)
    }

    @Test func `take a single dash for an operand`() throws {
        #expect(try Arguments(["-"], for: .sample).operands == ["-"])
    }

    @Test(arguments: [
        (["--plian", "X"], "unknown option --plian; did you mean --plain?"),
        (["--zzzzzz", "X"], "unknown option --zzzzzz"),
        (["-plain", "X"], "unknown option -plain; did you mean --plain?"),
        (["X", "--level"], "--level needs a value: --level NUMBER"),
        (["--plain=1", "X"], "--plain takes no value"),
        ([], "FILE is missing"),
        (["X", "Y"], "unexpected argument Y"),
        (["X", "--", "Y"], "unexpected argument Y"),
    ])
    func `say what is wrong`(words: [String], text: String) {
        #expect(throws: UsageError(text: text)) { try Arguments(words, for: .sample) }
    }

    @Test(arguments: [
        (["ls"], "unexpected argument ls; the command stands after --"),
        ([], "the command is missing: -- COMMAND…"),
        (["--"], "the command is missing: -- COMMAND…"),
    ])
    func `say where a command line belongs`(words: [String], text: String) {
        #expect(throws: UsageError(text: text)) { try Arguments(words, for: .runner) }
    }

    @Test func `take several operands where that is meant`() throws {
        var command = Command.sample
        command.takesMoreOperands = true
        #expect(try Arguments(["a", "b", "c"], for: command).operands == ["a", "b", "c"])
    }

    @Test func `give numbers within bounds`() throws {
        let arguments = try Arguments(["--level", "3", "X"], for: .sample)
        #expect(try arguments.number("level", in: 1...3, else: 0) == 3)
        #expect(try arguments.number("other", in: 1...3, else: 7) == 7)
    }

    @Test(arguments: ["0", "4", "x", "", "3.5"])
    func `refuse other numbers`(text: String) throws {
        let arguments = try Arguments(["--level", text, "X"], for: .sample)
        #expect(throws: UsageError.self) { try arguments.number("level", in: 1...3, else: 0) }
    }
}

extension Command {
    /// A command with options of both kinds.
    static let sample = Command(
        name: "sample",
        summary: "does nothing",
        operands: ["FILE"],
        options: [
            CommandOption(name: "level", value: "NUMBER", summary: "how much", standard: "1"),
            CommandOption(name: "plain", summary: "without colours"),
        ]
    ) { _ in .fine }

    /// A command that runs another.
    static let runner = Command(name: "runner", summary: "runs", takesRest: true) { _ in .fine }
}
