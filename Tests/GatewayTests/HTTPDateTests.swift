import HTTPWire
import Testing

@testable import Gateway

/// RFC 9110 §5.6.7.
@Suite struct `HTTP date` {
    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
        (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
        (1_767_225_600, "Thu, 01 Jan 2026 00:00:00 GMT"),
        (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
        (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ])
    func `is written as an IMF-fixdate`(seconds: Int64, expected: String) {
        #expect(HTTPDate.format(seconds) == expected)
    }

    @Test func `is a valid date on each day of four hundred years`() {
        let names = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        var wrong: [String] = []
        var last = ""
        for day in Int64(0)..<146_097 {
            let text = HTTPDate.format(day * 86_400 + 43_200)
            // 1970-01-01 was a Thursday.
            let isRight = text.hasPrefix(names[Int((day + 3) % 7)]) && text.utf8.count == 29
            if !isRight || text == last { wrong.append(text) }
            last = text
        }
        #expect(wrong.isEmpty)
    }

    @Test func `changes with the second and not before`() {
        var date = HTTPDate()
        let texts = [0, 999_999_999, 1_000_000_000, 61_000_000_000].map { nanoseconds in
            written { date.write(wallNanoseconds: nanoseconds, into: &$0) }
        }
        #expect(texts[0] == texts[1])
        #expect(texts[2] == "Thu, 01 Jan 1970 00:00:01 GMT")
        #expect(texts[3] == "Thu, 01 Jan 1970 00:01:01 GMT")
    }
}
