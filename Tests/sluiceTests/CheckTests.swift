import Testing

@testable import sluice

@Suite struct `Check` {
    @Test func `ends with 0 for a file in order`() throws {
        try withFile(goodText) { path in
            #expect(Said(["check", path]).code == .fine)
            #expect(Said(["serve", path, "--check"]).code == .fine)
            #expect(Said(["config", path]).code == .fine)
            #expect(Said(["config", "--json", path]).code == .fine)
        }
    }

    @Test func `ends with 1 for one that is not`() throws {
        try withFile("{}") { path in
            #expect(Said(["check", path]).code == .wrongInput)
            #expect(Said(["serve", path, "--check"]).code == .wrongInput)
            #expect(Said(["serve", path]).code == .wrongInput)
            #expect(Said(["config", path]).code == .wrongInput)
        }
    }

    @Test func `ends with 1 when one of several is not`() throws {
        try withFile(goodText) { good in
            try withFile("{}") { bad in
                #expect(Said(["check", bad, good]).code == .wrongInput)
            }
        }
    }

    @Test(arguments: ["check", "config", "serve"])
    func `ends with 1 when there is no file`(command: String) {
        #expect(Said([command, "/nowhere/x.json5"]).code == .wrongInput)
    }
}
