import Testing

@testable import sluice

@Suite struct `Command table` {
    @Test func `names are unique`() {
        let names = allCommands.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test(arguments: allCommands.map(\.name))
    func `has a help`(name: String) {
        #expect(Said([name, "--help"]).code == .fine)
        #expect(Said(["help", name]).code == .fine)
    }

    @Test func `usage lists options and operands`() {
        #expect(Command.sample.usage == "sluice sample [--level NUMBER] [--plain] FILE")
        #expect(Command.runner.usage == "sluice runner -- COMMAND…")
    }

    @Test func `help tells what an option is when it is not given`() {
        #expect(Command.sample.help.contains("  --level NUMBER  how much (1)\n"))
    }

    @Test(arguments: [["--help"], ["-h"], ["help"], ["version"], ["--version"]])
    func `lines that need nothing are fine`(words: [String]) {
        #expect(Said(words).code == .fine)
    }

    @Test(arguments: [
        [], ["serv"], ["help", "serv"], ["serve"], ["check"], ["status", "--jsn"],
        ["drain", "sales"], ["run"], ["run", "--port", "x", "--", "ls"], ["version", "1"],
    ])
    func `lines that cannot be understood end with 2`(words: [String]) {
        #expect(Said(words).code == .usage)
    }

    @Test func `the nearest spelling is told`() {
        #expect(Said(["serv"]).errors.contains("did you mean `sluice serve`?"))
        #expect(Said(["status", "--jsn"]).errors.contains("did you mean --json?"))
    }
}
