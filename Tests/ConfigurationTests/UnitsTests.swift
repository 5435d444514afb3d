// Durations and sizes: read and printed back.
import Testing

@testable import Configuration

@Suite struct `Units` {
    @Test(
        arguments: [
            ("250ms", .milliseconds(250)), ("5s", .seconds(5)), ("2m", .seconds(120)),
            ("1h", .seconds(3600)), ("1.5s", .milliseconds(1500)), ("0.5ms", .microseconds(500)),
            ("7us", .microseconds(7)), ("0s", .zero), ("0.25h", .seconds(900)),
        ] as [(String, Duration)]
    )
    func `read durations`(_ text: String, _ duration: Duration) throws {
        #expect(try parseDuration(text) == duration)
    }

    @Test(arguments: [
        ("0B", 0), ("1B", 1), ("256KiB", 262_144), ("1MiB", 1 << 20), ("1.5GiB", 3 << 29),
        ("2TiB", 2 << 40), ("1PiB", 1 << 50),
    ])
    func `read sizes`(_ text: String, _ bytes: Int) throws {
        #expect(try parseSize(text) == bytes)
    }

    @Test(
        arguments: [
            ("", .noNumber), ("s", .noNumber), ("-1s", .noNumber), ("+1s", .noNumber),
            (".5s", .noNumber), ("5.s", .noNumber), ("1.2.3s", .noNumber), ("٣s", .noNumber),
            ("5", .noUnit), ("5.5", .noUnit), ("5 s", .unknownUnit(" s")),
            ("5S", .unknownUnit("S")), ("5sec", .unknownUnit("sec")), ("5s ", .unknownUnit("s ")),
            ("0.1us", .notRepresentable), ("9999999999999999999s", .notRepresentable),
            ("99999999999999h", .notRepresentable), ("1e3s", .unknownUnit("e3s")),
        ] as [(String, UnitError)]
    )
    func `refuse what is not quite a duration`(_ text: String, _ error: UnitError) {
        #expect(throws: error) { try parseDuration(text) }
    }

    @Test(
        arguments: [
            ("1MB", .unknownUnit("MB")), ("1kib", .unknownUnit("kib")), ("0.5B", .notRepresentable),
            ("9999PiB", .notRepresentable), ("1", .noUnit),
        ] as [(String, UnitError)]
    )
    func `refuse what is not quite a size`(_ text: String, _ error: UnitError) {
        #expect(throws: error) { try parseSize(text) }
    }

    @Test(arguments: [
        "0s", "1us", "250ms", "500us", "1001us", "1s", "1.5s", "75s", "90s", "1m", "2m", "1h",
        "25h", "1.000001s", "3661s",
    ])
    func `print durations as they are read`(_ text: String) throws {
        #expect(formatDuration(try parseDuration(text)) == text)
    }

    @Test(arguments: ["0B", "1B", "1023B", "1KiB", "1025B", "8000B", "64KiB", "1GiB", "3PiB"])
    func `print sizes as they are read`(_ text: String) throws {
        #expect(formatSize(try parseSize(text)) == text)
    }

    @Test func `print every duration so that it is read back`() throws {
        var microseconds = 1
        while microseconds < 86_400_000_000 {
            let duration = Duration.microseconds(microseconds)
            #expect(try parseDuration(formatDuration(duration)) == duration)
            microseconds = microseconds * 7 + 3
        }
    }

    @Test func `print negative durations`() {
        #expect(formatDuration(.milliseconds(-1500)) == "-1.5s")
        #expect(formatDuration(.milliseconds(-250)) == "-250ms")
    }
}
