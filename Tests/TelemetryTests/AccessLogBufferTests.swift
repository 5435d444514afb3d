// The bounded hand-over of log lines.
import Testing

@testable import Telemetry

@Suite struct `Access log buffer` {
    @Test func `gives lines in the order they came`() {
        let buffer = AccessLogBuffer()
        buffer.append([1, 2])
        buffer.append([3])
        #expect(buffer.take() == [1, 2, 3])
        #expect(buffer.take().isEmpty)
    }

    @Test func `asks to wake the writer only for the first line`() {
        let buffer = AccessLogBuffer()
        #expect(buffer.append([1]))
        #expect(!buffer.append([2]))
        _ = buffer.take()
        #expect(buffer.append([3]))
    }

    @Test func `drops whole lines when full, and counts them`() {
        let buffer = AccessLogBuffer(bytesMax: 4)
        buffer.append([1, 2, 3])
        #expect(!buffer.append([4, 5]))
        buffer.append([6])
        #expect(buffer.dropped == 1)
        #expect(buffer.take() == [1, 2, 3, 6])
    }

    @Test func `uses the writer's memory again`() {
        let buffer = AccessLogBuffer()
        var spare: [UInt8] = []
        spare.reserveCapacity(10_000)
        let capacity = spare.capacity
        _ = buffer.take(giving: consume spare)
        buffer.append([1])
        #expect(buffer.take().capacity == capacity)
    }

    @Test func `loses and mixes nothing when many threads append`() async {
        let buffer = AccessLogBuffer()
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<4 {
                group.addTask {
                    for _ in 0..<1_000 {
                        buffer.append([UInt8](repeating: UInt8(thread), count: 7))
                    }
                }
            }
        }
        let bytes = buffer.take()
        #expect(bytes.count == 4 * 1_000 * 7)
        let lines = stride(from: 0, to: bytes.count, by: 7).map { Set(bytes[$0..<$0 + 7]) }
        #expect(lines.allSatisfy { $0.count == 1 })
    }
}
