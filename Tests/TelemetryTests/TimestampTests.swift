// Calendar arithmetic, checked against dates that are known.
import Testing

@testable import Telemetry

@Suite struct `A timestamp` {
    @Test(arguments: [
        (UInt64(0), "1970-01-01T00:00:00.000Z"),
        (951_782_399_999_000_000, "2000-02-28T23:59:59.999Z"),
        (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
        (951_868_800_000_000_000, "2000-03-01T00:00:00.000Z"),
        (1_772_357_400_125_999_999, "2026-03-01T09:30:00.125Z"),
        (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
        (4_107_542_399_000_000_000, "2100-02-28T23:59:59.000Z"),
        (UInt64.max, "2554-07-21T23:34:33.709Z"),
    ])
    func `is spelled as RFC 3339 has it`(nanoseconds: UInt64, text: String) {
        #expect(Timestamp(nanoseconds: nanoseconds).text == text)
    }

    @Test func `counts every day of four centuries once`() {
        var previous = ""
        for day in UInt64(0)..<146_097 {
            let text = Timestamp(nanoseconds: day * 86_400_000_000_000).text
            #expect(text > previous)
            previous = text
        }
        #expect(previous == "2369-12-31T00:00:00.000Z")
    }
}
