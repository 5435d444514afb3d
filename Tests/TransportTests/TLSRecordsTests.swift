import Testing

@testable import Transport

@Suite struct `Record stage` {
    @Test func `keeps bytes in order and grows for a long flight`() {
        let stage = RecordStage(capacity: 4)
        var expected: [UInt8] = []
        for number in 0..<100 {
            let piece = [UInt8](repeating: UInt8(number), count: 3)
            piece.withUnsafeBytes { stage.append($0) }
            expected += piece
        }
        #expect(Array(stage.bytes) == expected)
        stage.clear()
        #expect(stage.count == 0)
    }
}

@Suite struct `Record pace` {
    @Test func `begins with records of a packet, and goes on with full ones`() {
        var pace = RecordPace()
        let now = Instant(nanoseconds: 0)
        var sizes: [Int] = []
        var left = 64 * 1024
        while left > 0 {
            let size = pace.next(left, at: now)
            sizes.append(size)
            left -= size
        }
        #expect(sizes.prefix(10).allSatisfy { $0 == 1370 })
        #expect(sizes.dropFirst(11).dropLast().allSatisfy { $0 == 16 * 1024 })
        #expect(sizes.reduce(0, +) == 64 * 1024)
    }

    @Test func `puts a short answer into one record`() {
        var pace = RecordPace()
        #expect(pace.next(2000, at: Instant(nanoseconds: 0)) == 2000)
    }

    @Test func `begins anew after a second of quiet`() {
        var pace = RecordPace()
        let now = Instant(nanoseconds: 0)
        for _ in 0..<20 { _ = pace.next(16 * 1024, at: now) }
        #expect(pace.next(16 * 1024, at: now + .milliseconds(900)) == 16 * 1024)
        #expect(pace.next(16 * 1024, at: now + .milliseconds(1901)) == 1370)
    }
}
