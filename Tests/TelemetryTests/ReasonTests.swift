// The closed list of reasons, as the design has it.
import Testing

@testable import Telemetry

@Suite struct `A reason` {
    @Test func `has exactly the tokens of the design, in its order`() {
        let expected = """
            ok client_gone no_route bad_request too_large queue_full queue_timeout deadline \
            no_replicas connect_failed upstream_reset upstream_timeout upstream_invalid \
            stream_stalled stopping
            """
        #expect(Reason.allCases.map(\.token.description).joined(separator: " ") == expected)
    }

    @Test(arguments: Reason.allCases)
    func `is spelled alike as bytes and as text`(reason: Reason) {
        #expect(Reason.texts[Int(reason.rawValue)] == reason.token.description)
    }
}
