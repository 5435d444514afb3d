// Lines out of a process's output: whole, tagged, harmless, bounded.
import Testing

@testable import Processes

@Suite struct `Output lines` {
    @Test(arguments: [
        ("a\nb\n", ["a", "b"]), ("a\r\nb\r\n", ["a", "b"]), ("a\rb\r", ["a", "b"]),
        ("\n\n", ["", ""]), ("\r\n\r\n", ["", ""]), ("a\n\rb\n", ["a", "", "b"]), ("a", ["a"]),
        ("é☃\n", ["é☃"]), ("a\tb\n", ["a\tb"]), ("\u{1B}[31mred\n", ["\u{FFFD}[31mred"]),
        ("\u{0}\u{7F}\u{9B}\n", ["\u{FFFD}\u{FFFD}\u{FFFD}"]), ("", []),
    ])
    func `are the same however the bytes arrive`(output: String, lines: [String]) {
        let bytes = Array(output.utf8)
        let expected = lines.map { "[sales-1] \($0)" }
        #expect(Self.lines([bytes]) == expected)
        #expect(Self.lines(bytes.map { [$0] }) == expected)
        for split in 0...bytes.count {
            #expect(Self.lines([Array(bytes[..<split]), Array(bytes[split...])]) == expected)
        }
    }

    @Test func `are repaired where they are not UTF-8`() {
        #expect(Self.lines([[0x61, 0xFF, 0x62, 0x0A]]) == ["[sales-1] a\u{FFFD}b"])
    }

    @Test func `are cut when they are too long`() {
        let options = Self.options(lineBytesMax: 10)
        let output = [UInt8](repeating: 0x61, count: 100_000) + Array("\nnext\n".utf8)
        #expect(Self.lines([output], options) == ["[sales-1] aaaaaaaaaa …", "[sales-1] next"])
    }

    @Test func `of exactly the longest length are not called cut`() {
        #expect(
            Self.lines([Array("0123456789\n".utf8)], Self.options(lineBytesMax: 10)) == [
                "[sales-1] 0123456789"
            ]
        )
    }

    @Test func `are counted instead when there are too many`() {
        var lines = OutputLines(
            tag: "sales-1",
            options: Self.options(rate: 100, burst: 330),
            now: .zero
        )
        var emitted: [String] = []
        let line = Array("a\n".utf8)  // 33 bytes of budget
        for _ in 0..<25 {
            lines.append(line.span, now: .zero) { emitted.append($0) }
        }
        #expect(emitted.count == 10)
        #expect(lines.leftOut == 15)
    }

    @Test func `go on, after a word about those left out, when a quarter of the burst is back`() {
        var lines = OutputLines(
            tag: "sales-1",
            options: Self.options(rate: 100, burst: 400),
            now: .zero
        )
        var emitted: [String] = []
        let line = Array("a\n".utf8)
        for _ in 0..<20 {
            lines.append(line.span, now: .zero) { emitted.append($0) }
        }
        emitted = []
        lines.append(line.span, now: .milliseconds(900)) { emitted.append($0) }
        #expect(emitted.isEmpty)
        lines.append(line.span, now: .milliseconds(1_000)) { emitted.append($0) }
        #expect(emitted == ["[sales-1] … 9 lines left out: too much output", "[sales-1] a"])
    }

    @Test func `say at the end what is missing`() {
        let output = Array(String(repeating: "a\n", count: 1_000).utf8)
        let emitted = Self.lines([output], Self.options(rate: 1, burst: 1_000))
        #expect(emitted.count == 31)
        #expect(emitted.last == "[sales-1] … 970 lines left out: too much output")
    }

    @Test func `keep their budget whatever the clock and the settings`() {
        let options = Self.options(rate: .max, burst: .max)
        var lines = OutputLines(tag: "sales-1", options: options, now: .seconds(10))
        var count = 0
        for now in [Duration.zero, .seconds(Int64.max), .seconds(5), .seconds(Int64.max)] {
            lines.append(Array("a\n".utf8).span, now: now) { _ in count += 1 }
        }
        #expect(count == 4)
    }

    private static func options(
        lineBytesMax: Int = 8_192,
        rate: Int = 1 << 20,
        burst: Int = 1 << 20
    ) -> ProcessOptions {
        ProcessOptions(
            name: "sales",
            command: ["x"],
            lineBytesMax: lineBytesMax,
            outputBytesPerSecond: rate,
            outputBurstBytes: burst
        )
    }

    private static func lines(
        _ pieces: [[UInt8]],
        _ options: ProcessOptions = options()
    ) -> [String] {
        var lines = OutputLines(tag: "sales-1", options: options, now: .zero)
        var emitted: [String] = []
        for piece in pieces {
            lines.append(piece.span, now: .zero) { emitted.append($0) }
        }
        lines.finish { emitted.append($0) }
        return emitted
    }
}
