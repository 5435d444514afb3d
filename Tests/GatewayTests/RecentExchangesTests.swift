import Telemetry
import Testing
import Transport

@testable import Gateway

@Suite struct `Recent exchanges` {
    @Test func `are found by their request id`() {
        var recent = RecentExchanges(loops: 1)
        for number in 0..<10 { add(number, to: &recent) }
        #expect(find(7, in: recent) == "line 7")
        #expect(find(10, in: recent) == nil)
    }

    @Test func `are none at first`() {
        #expect(find(0, in: RecentExchanges(loops: 1)) == nil)
    }

    @Test func `are the last thousand or so`() {
        var recent = RecentExchanges(loops: 1)
        for number in 0..<3000 { add(number, to: &recent) }
        #expect(find(3000 - 1024, in: recent) == "line \(3000 - 1024)")
        #expect(find(3000 - 1025, in: recent) == nil)
        #expect(find(2999, in: recent) == "line 2999")
    }

    @Test func `are shared between loops, with a fair rest for each`() {
        var recent = RecentExchanges(loops: 1000)
        for number in 0..<100 { add(number, to: &recent) }
        #expect(find(36, in: recent) != nil && find(35, in: recent) == nil)
    }

    @Test func `of the same id, the newest is told`() {
        var recent = RecentExchanges(loops: 1)
        add(1, line: "old", to: &recent)
        add(2, to: &recent)
        add(1, line: "new", to: &recent)
        #expect(find(1, in: recent) == "new")
    }

    private func add(_ number: Int, line: String? = nil, to recent: inout RecentExchanges) {
        var requestID = KeptBytes()
        requestID.replace(with: "id-\(number)".bytes.span)
        recent.add(
            AccessLogRecord(time: 0, status: 200, reason: .ok, total: .zero),
            requestID,
            Array((line ?? "line \(number)").utf8),
            []
        )
    }

    private func find(_ number: Int, in recent: RecentExchanges) -> String? {
        recent.find(Array("id-\(number)".utf8)).map { String(decoding: $0.line, as: UTF8.self) }
    }
}
