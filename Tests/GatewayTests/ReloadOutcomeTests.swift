import Testing

@testable import Gateway

@Suite struct `Reload outcome` {
    @Test(arguments: [
        (ReloadOutcome.applied([]), true), (.applied(["a"]), true), (.refused("x"), false),
        (.unavailable("x"), false),
    ])
    func `only an applied one puts the file in force`(outcome: ReloadOutcome, isApplied: Bool) {
        #expect(outcome.isApplied == isApplied)
    }
}
