import Testing

@testable import sluice

@Suite struct `Speaking` {
    @Test func `answers go to standard output, complaints to standard error`() {
        let listener = Listener()
        Listener.$current.withValue(listener) {
            say("a")
            say("b", raw: true)
            complain("c")
            complain("d\n", raw: true)
        }
        #expect(listener.output == "a\nb" && listener.errors == "sluice: c\nd\n")
    }

    @Test func `help is an answer, wrong usage a complaint`() {
        #expect(Said(["--help"]).errors.isEmpty && Said(["--help"]).output.contains("serve"))
        #expect(Said([]).output.isEmpty && Said([]).errors.contains("serve"))
    }
}
