import Testing

@testable import Balancing

@Suite struct `Verdicts` {
    @Test(
        arguments: [
            (Verdict.success, true), (.full(retryAfter: nil), true),
            (.failure(.badStatus(503)), true), (.failure(.invalid), true),
            (.failure(.timeout), false), (.failure(.reset), false),
            (.failure(.stalled), false), (.failure(.silent), false),
            (.failure(.connectRefused), false),
            (.failure(.connectTimeout), false), (.abandoned, false),
        ]
    )
    func `show progress exactly when the replica said something`(
        verdict: Verdict,
        showsProgress: Bool
    ) {
        #expect(verdict.showsProgress == showsProgress)
    }
}
