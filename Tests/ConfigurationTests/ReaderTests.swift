// What is gathered while a file is read.
import Testing

@testable import Configuration

@Suite struct `A reader` {
    private let reader = Reader(
        file: "a",
        positions: Positions(of: "{ a: { b: 1 }, c: 2 }"),
        environment: [:]
    )

    @Test func `knows whether there was a problem inside a value`() {
        reader.report("no", at: [.key("a"), .key("b")])
        #expect(reader.hasProblem(within: [.key("a")]))
        #expect(reader.hasProblem(within: [.key("a"), .key("b")]))
        #expect(!reader.hasProblem(within: [.key("c")]))
    }

    @Test func `shows the line of a problem`() {
        reader.report("no", at: [.key("c")])
        #expect(reader.diagnostics.first?.sourceLine == "{ a: { b: 1 }, c: 2 }")
        #expect(reader.diagnostics.first?.column == 19)
    }

    @Test(arguments: [
        ("timeot: '1s'", "did you mean `timeout`?"),
        ("address: 1", "`address` belongs in `admin` or `listeners[]`"),
    ])
    func `proposes the nearest key, else where it belongs`(_ setting: String, _ hint: String) {
        let loaded = load(text(pool: "replicas: [], \(setting)"))
        #expect(loaded.diagnostics.first?.hint == hint)
    }

    @Test func `says what is known when nothing is near`() {
        let loaded = load(text(top: "shutdown: { zebra: 1 }"))
        #expect(loaded.diagnostics.first?.hint == "known here: drainDelay, grace")
    }
}
