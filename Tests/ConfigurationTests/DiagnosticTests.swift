// How a problem is printed.
import Testing

@testable import Configuration

@Suite struct `Diagnostics` {
    private func diagnostic(column: Int, hint: String?, line: String) -> Diagnostic {
        Diagnostic(
            severity: .error,
            file: "a.json5",
            position: Position(line: 3, column: column),
            message: "no",
            hint: hint,
            sourceLine: line
        )
    }

    @Test func `print place, message, line, caret and hint`() {
        let text = diagnostic(column: 4, hint: "yes", line: "a: bad").description
        #expect(text == "a.json5:3:4: error: no\n    a: bad\n       ^\n    hint: yes")
    }

    @Test func `keep tabs before the caret`() {
        let text = diagnostic(column: 3, hint: nil, line: "\ta\tb").description
        #expect(text == "a.json5:3:3: error: no\n    \ta\tb\n    \t ^")
    }

    @Test func `leave out an empty line`() {
        #expect(
            diagnostic(column: 1, hint: nil, line: "  ").description == "a.json5:3:1: error: no"
        )
    }

    @Test func `put the caret after a short line`() {
        let text = diagnostic(column: 9, hint: nil, line: "ab").description
        #expect(text.hasSuffix("    ab\n      ^"))
    }

    @Test func `come in the order of lines, then columns`() {
        #expect(Position(line: 1, column: 9) < Position(line: 2, column: 1))
        #expect(Position(line: 2, column: 1) < Position(line: 2, column: 2))
    }
}
