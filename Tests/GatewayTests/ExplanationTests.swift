import Telemetry
import Testing

@testable import Gateway

@Suite struct `Explanation` {
    @Test func `tells the way of a request that was served`() {
        #expect(
            exchange().story == [
                "It arrived at 2027-01-15T08:00:00.000Z; route r sent it to pool p.",
                "It waited 12.0 ms for a free slot, all attempts together.",
                "Replica a began to answer after 30.0 ms.",
                "The answer, 200, was whole 50.0 ms after its arrival: 5 bytes in, 7 bytes out.",
            ]
        )
    }

    @Test func `tells each failed attempt and why another followed`() {
        var ended = exchange()
        ended.record.attempts = 2
        ended.failures = [
            FailedAttempt(
                replica: "b",
                fault: UpstreamFault(kind: .connectFailed, stage: .connecting),
                after: .milliseconds(2),
                decision: .again
            )
        ]
        #expect(
            ended.story[2...3] == [
                "Attempt 1 on replica b failed 2.0 ms after arrival: no connection; "
                    + "tried again elsewhere.",
                "Attempt 2: Replica a began to answer after 30.0 ms.",
            ]
        )
    }

    @Test func `tells why there was no further attempt`() {
        var ended = exchange()
        ended.record.status = 502
        ended.record.reason = .upstreamReset
        ended.failures = [
            FailedAttempt(
                replica: "a",
                fault: UpstreamFault(
                    kind: .reset,
                    stage: .unanswered(onReusedConnection: false)
                ),
                after: .seconds(2),
                decision: .notRepeatable
            )
        ]
        let story = ended.story
        #expect(story[2].contains("it broke the connection; not tried again, since it may have"))
        #expect(story.last?.hasPrefix("It was answered 502 50.0 ms after its arrival: ") == true)
    }

    @Test func `tells that no route took it`() {
        var ended = exchange()
        ended.record = AccessLogRecord(
            time: 0,
            status: 404,
            reason: .noRoute,
            total: .milliseconds(1)
        )
        #expect(
            ended.story == [
                "It arrived at 1970-01-01T00:00:00.000Z; no route took it.",
                "It was answered 404 1.0 ms after its arrival: no route matches it.",
            ]
        )
    }

    @Test func `tells that the client left`() {
        var ended = exchange()
        ended.record.reason = .clientGone
        ended.record.ttfb = nil
        #expect(
            ended.story.suffix(2) == [
                "It was given to replica a, which had not answered.",
                "The client left 50.0 ms after its arrival.",
            ]
        )
    }

    @Test func `has words for every reason`() {
        let words = Reason.allCases.map(\.words)
        #expect(Set(words).count == words.count)
    }

    private func exchange() -> EndedExchange {
        EndedExchange(
            requestID: [],
            line: [],
            record: AccessLogRecord(
                time: 1_800_000_000_000_000_000,
                status: 200,
                reason: .ok,
                total: .milliseconds(50),
                bytesIn: 5,
                bytesOut: 7,
                pool: "p",
                route: "r",
                replica: "a",
                attempts: 1,
                queue: .milliseconds(12),
                connect: .zero,
                ttfb: .milliseconds(30)
            ),
            failures: []
        )
    }
}
