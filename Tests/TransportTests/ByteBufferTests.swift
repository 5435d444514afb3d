import Testing

@testable import Transport

@Suite struct `Byte buffer` {
    private let buffer = ByteBuffer()

    @Test func `begins empty, with room before and behind`() {
        #expect(buffer.isEmpty && buffer.count == 0)
        #expect(buffer.start == ByteBuffer.headroomBytes)
        #expect(
            buffer.room == ByteBuffer.slabBytes - ByteBuffer.headroomBytes
                - ByteBuffer.tailroomBytes
        )
    }

    @Test func `keeps bytes in order of their arrival`() {
        #expect(buffer.put([1, 2, 3]))
        #expect(buffer.put([4]))
        #expect(buffer.array == [1, 2, 3, 4])
    }

    @Test func `takes as much as there is room for and no more`() {
        let whole = [UInt8](repeating: 7, count: buffer.room)
        #expect(buffer.put(whole))
        #expect(buffer.room == 0)
        #expect(!buffer.put([1]))
        #expect(buffer.count == whole.count)
    }

    @Test func `forgets from the front`() {
        _ = buffer.put([1, 2, 3])
        buffer.consume(2)
        #expect(buffer.array == [3])
    }

    @Test func `leaves forgotten bytes in place until they are overwritten`() {
        _ = buffer.put([1, 2, 3])
        let start = buffer.start
        buffer.consume(3)
        buffer.setRun(from: start, to: start + 3)
        #expect(buffer.array == [1, 2, 3])
    }

    @Test func `lays a head right before the run`() throws {
        _ = buffer.put([5, 6])
        let start = try #require(buffer.lay([1, 2, 3, 4], before: buffer.start))
        buffer.setRun(from: start, to: buffer.end)
        #expect(buffer.array == [1, 2, 3, 4, 5, 6])
    }

    @Test func `refuses a head that is larger than the room before it`() {
        let head = [UInt8](repeating: 1, count: ByteBuffer.headroomBytes + 1)
        #expect(buffer.lay(head, before: buffer.start) == nil)
        #expect(buffer.lay(Array(head.dropLast()), before: buffer.start) == 0)
    }

    @Test func `writes at an offset without changing the run`() {
        _ = buffer.put([1, 2, 3])
        buffer.write([9].span, at: buffer.start + 1)
        #expect(buffer.array == [1, 9, 3])
    }

    @Test func `moves the run to the front`() {
        _ = buffer.put([UInt8](repeating: 0, count: 50_000))
        _ = buffer.put([1, 2, 3])
        let room = buffer.room
        buffer.consume(50_000)
        buffer.compact()
        #expect(buffer.array == [1, 2, 3])
        #expect(buffer.room == room + 50_000)
    }

    @Test func `moves a run that overlaps its new place`() {
        let bytes = (0..<100).map { UInt8($0) }
        _ = buffer.put(bytes)
        buffer.consume(10)
        buffer.compact()
        #expect(buffer.array == Array(bytes[10...]))
    }

    @Test func `stays where it is when it starts in the head-room`() {
        _ = buffer.put([1, 2])
        let start = buffer.start
        buffer.setRun(from: start - 5, to: buffer.end)
        buffer.compact()
        #expect(buffer.start == start - 5)
    }

    @Test func `can be changed in place`() {
        _ = buffer.put([1, 2, 3])
        buffer.withMutableBytes { $0[1] = 9 }
        #expect(buffer.array == [1, 9, 3])
    }

    @Test func `forgets everything`() {
        _ = buffer.put([1, 2, 3])
        buffer.clear()
        #expect(buffer.isEmpty && buffer.start == ByteBuffer.headroomBytes)
    }

    @Test func `copies a span into an array in place`() {
        var array: [UInt8] = [1, 2, 3, 4, 5]
        array.replace(with: [9, 8].span)
        #expect(array == [9, 8])
    }
}

@Suite struct `Buffer pool` {
    @Test func `gives no more buffers than its limit`() throws {
        let pool = BufferPool(limit: 2)
        let one = try #require(pool.take())
        _ = try #require(pool.take())
        #expect(pool.take() == nil && pool.inUse == 2)
        pool.giveBack(one)
        #expect(pool.take() != nil)
    }

    @Test func `gives the warmest buffer first, and empty`() throws {
        let pool = BufferPool(limit: 4)
        let buffers = (0..<3).compactMap { _ in pool.take() }
        for buffer in buffers {
            _ = buffer.put([1])
            pool.giveBack(buffer)
        }
        let taken = try #require(pool.take())
        #expect(taken === buffers[2] && taken.isEmpty)
        #expect(pool.inUse == 1)
    }

    @Test func `keeps only so many free buffers`() {
        let pool = BufferPool(limit: 200)
        let buffers = (0..<200).compactMap { _ in pool.take() }
        for buffer in buffers { pool.giveBack(buffer) }
        #expect(pool.inUse == 0)
        let again = (0..<200).compactMap { _ in pool.take() }
        let kept = again.filter { buffer in buffers.contains { $0 === buffer } }
        #expect(kept.count == 64)
    }
}
