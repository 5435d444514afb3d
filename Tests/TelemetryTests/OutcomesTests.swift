// Properties every closed list of label values has.
import Testing

@testable import Telemetry

@Suite struct `Label values` {
    @Test func `are numbered from zero without gaps`() {
        #expect(Self.numbers(Reason.self) == Array(0..<15))
        #expect(Self.numbers(QueueOutcome.self) == Array(0..<3))
        #expect(Self.numbers(UpstreamPhase.self) == Array(0..<3))
        #expect(Self.numbers(AttemptResult.self) == Array(0..<10))
        #expect(Self.numbers(RetryCause.self) == Array(0..<7))
        #expect(Self.numbers(ProbeResult.self) == Array(0..<4))
        #expect(Self.numbers(EjectionCause.self) == Array(0..<2))
        #expect(Self.numbers(ConnectionResult.self) == Array(0..<2))
    }

    @Test func `are lower-case words, each once in its list`() {
        for tokens in [
            Self.tokens(Reason.self), Self.tokens(QueueOutcome.self),
            Self.tokens(UpstreamPhase.self), Self.tokens(AttemptResult.self),
            Self.tokens(RetryCause.self), Self.tokens(ProbeResult.self),
            Self.tokens(EjectionCause.self), Self.tokens(ConnectionResult.self),
        ] {
            #expect(Set(tokens).count == tokens.count)
            let isSpelledRight = tokens.joined().unicodeScalars.allSatisfy {
                ("a"..."z").contains($0) || $0 == "_"
            }
            #expect(isSpelledRight, "\(tokens)")
        }
    }

    private static func numbers<Key: MetricKey>(_ type: Key.Type) -> [Int] {
        Key.allCases.map { Int($0.rawValue) }
    }

    private static func tokens<Key: MetricKey>(_ type: Key.Type) -> [String] {
        Key.allCases.map(\.token.description)
    }
}
