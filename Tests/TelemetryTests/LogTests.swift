// The operator's log: its one spelling, and that nothing from outside breaks a line.
import Synchronization
import Testing

@testable import Telemetry

@Suite struct `The log` {
    @Test func `writes one readable line per event`() {
        let lines = Self.lines { log in
            log.info("pool.sales", "replica 10.0.0.1:5000 warming → ready (probe passed)")
        }
        #expect(
            lines == [
                """
                2026-03-01T09:30:00.125Z info pool.sales replica 10.0.0.1:5000 warming → ready \
                (probe passed)

                """
            ]
        )
    }

    @Test func `adds values, in quotes where they need them`() {
        let lines = Self.lines { log in
            log.error(
                "config",
                "not loaded",
                ["file": "a b.json5", "line": "3", "why": "say \"x\"", "none": ""]
            )
        }
        let text = #"error config not loaded file="a b.json5" line=3 why="say \"x\"" none="""#
        #expect(lines.map { String($0.dropFirst(25)) } == [text + "\n"])
    }

    @Test func `leaves out what is below its level, unevaluated`() {
        let lines = Self.lines(minimum: .warning) { log in
            log.debug("a", Self.neverAsked())
            log.info("a", Self.neverAsked())
            log.warning("a", "seen")
            log.error("a", "seen")
        }
        #expect(lines.count == 2)
    }

    @Test(arguments: ["a\nb", "a\r\nb", "\u{1B}[2J", "\u{85}", "\u{2028}", "\u{9B}1m"])
    func `spells control characters out`(text: String) {
        let lines = Self.lines { $0.info(text, text, ["key": text]) }
        let inside = lines[0].dropLast().unicodeScalars
        #expect(lines[0].hasSuffix("\n"))
        #expect(!inside.contains { $0.value < 0x20 || (0x7F...0x9F).contains($0.value) })
        #expect(!inside.contains("\u{2028}"))
    }

    @Test(arguments: [0, 1, 2, 3])
    func `cuts what is too long, between characters`(shift: Int) {
        let text = String(repeating: "x", count: shift) + String(repeating: "😀", count: 5_000)
        let line = Self.lines { $0.info("a", text) }[0]
        #expect(line.hasSuffix("😀…\n"))
        #expect((Log.lineBytesMax - 4...Log.lineBytesMax).contains(line.utf8.count))
    }

    private static func neverAsked() -> String {
        Issue.record("a message below the level was evaluated")
        return ""
    }

    private static func lines(
        minimum: LogLevel = .debug,
        _ body: (Log) -> Void
    ) -> [String] {
        let lines = Lines()
        body(
            Log(
                minimum: minimum,
                now: { 1_772_357_400_125_000_000 },
                sink: { line in lines.all.withLock { $0.append(line) } }
            )
        )
        return lines.all.withLock { $0 }
    }

    private final class Lines: Sendable {
        let all = Mutex<[String]>([])
    }
}
