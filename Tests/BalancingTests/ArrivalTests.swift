import Testing

@testable import Balancing

@Suite struct `Shed reasons` {
    @Test func `are tokens of the closed list of reasons`() {
        let closedList: Set = [
            "ok", "client_gone", "no_route", "bad_request", "too_large", "queue_full",
            "queue_timeout", "deadline", "no_replicas", "connect_failed", "upstream_reset",
            "upstream_timeout", "upstream_invalid", "stream_stalled", "stopping",
        ]
        #expect(ShedReason.allCases.allSatisfy { closedList.contains($0.rawValue) })
    }
}
