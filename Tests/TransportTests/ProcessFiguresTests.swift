import Testing

@testable import Transport

@Suite struct `Process figures` {
    @Test func `of this process are plausible`() {
        let figures = ProcessFigures.read()
        #expect(figures.cpuSeconds >= 0 && figures.residentBytes > 1 << 20)
        #expect(figures.openDescriptors >= 3 && figures.openDescriptors <= figures.descriptorsMax)
        // After 2020.
        #expect(figures.startSeconds > 1_577_836_800)
    }

    /// proc(5): fields 14, 15, 22, 23 and 24.
    @Test func `are read past a program's name of any kind`() {
        var figures = ProcessFigures()
        let rest = "S 1 2 3 0 -1 4 5 6 7 8 250 50 0 0 20 0 9 0 1000 8192 3 18446744073709551615 1"
        figures.take("42 (a) b (c) \(rest)", bootSeconds: 100, ticksPerSecond: 100, pageBytes: 4096)
        #expect(figures.cpuSeconds == 3 && figures.startSeconds == 110)
        #expect(figures.virtualBytes == 8192 && figures.residentBytes == 12_288)
    }

    @Test(arguments: ["", "42 (a", "42 (a) S 1 2"])
    func `stay zero when the line is cut`(line: String) {
        var figures = ProcessFigures()
        figures.take(line, bootSeconds: 100, ticksPerSecond: 100, pageBytes: 4096)
        #expect(figures == ProcessFigures())
    }

    @Test func `know when the machine started`() {
        #expect(ProcessFigures.bootSeconds(in: "cpu 1 2\nbtime 1700000000\nx 1\n") == 1_700_000_000)
        #expect(ProcessFigures.bootSeconds(in: "cpu 1 2\n") == nil)
    }
}
