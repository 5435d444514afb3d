import Testing
import Transport

@Suite struct `Splice pipes` {
    /// A buffer with this text in it.
    private static func buffer(_ text: String) -> ByteBuffer {
        let buffer = ByteBuffer.outsidePools()
        _ = buffer.append(Array(text.utf8).span)
        return buffer
    }

    private static func text(of buffer: ByteBuffer) -> String {
        let bytes = buffer.bytes
        return String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    /// Waits for what comes and moves it into the pipe.
    private static func fill(
        _ pipe: SplicePipe,
        from socket: Socket,
        atMost limit: Int,
        _ parking: Parking
    ) async throws -> Received {
        while true {
            let received = try socket.receive(into: pipe, atMost: limit)
            guard received == .wouldBlock else { return received }
            await parking.park(until: nil)
        }
    }

    @Test func `carry bytes from one connection to another`() async throws {
        let text = try await onLoop { context in
            let (from, to) = (try await Pair(on: context), try await Pair(on: context))
            let pipe = try #require(context.pipes.take())
            let buffer = Self.buffer("hello")
            _ = try from.one.send(buffer, from: buffer.start, to: buffer.end)
            let received = try await Self.fill(pipe, from: from.other, atMost: 100, from.parking)
            #expect(received == .bytes(5))
            #expect(pipe.count == 5)
            #expect(try to.one.send(pipe) == 5)
            #expect(pipe.count == 0)
            buffer.clear()
            while try to.other.receive(into: buffer) == .wouldBlock {
                await to.parking.park(until: nil)
            }
            return Self.text(of: buffer)
        }
        #expect(text == "hello")
    }

    @Test func `take no more than asked for`() async throws {
        let counts = try await onLoop { context in
            let pair = try await Pair(on: context)
            let pipe = try #require(context.pipes.take())
            let buffer = Self.buffer("hello")
            _ = try pair.one.send(buffer, from: buffer.start, to: buffer.end)
            let received = try await Self.fill(pipe, from: pair.other, atMost: 3, pair.parking)
            #expect(received == .bytes(3))
            buffer.clear()
            let rest = try pair.other.receive(into: buffer)
            #expect(rest == .bytes(2))
            return [pipe.count, buffer.count]
        }
        #expect(counts == [3, 2])
    }

    @Test func `see the end of the stream, and a broken one`() async throws {
        let received = try await onLoop { context in
            let pair = try await Pair(on: context)
            let pipe = try #require(context.pipes.take())
            pair.one.close()
            return try await Self.fill(pipe, from: pair.other, atMost: 100, pair.parking)
        }
        #expect(received == .end)
        await #expect(throws: SystemError.self) {
            try await onLoop { context in
                let pair = try await Pair(on: context)
                let pipe = try #require(context.pipes.take())
                pair.one.reset()
                _ = try await Self.fill(pipe, from: pair.other, atMost: 100, pair.parking)
            }
        }
    }

    @Test func `send only what the other side takes`() async throws {
        let isKept = try await onLoop { context in
            let (from, to) = (try await Pair(on: context), try await Pair(on: context))
            let pipe = try #require(context.pipes.take())
            let buffer = ByteBuffer.outsidePools()
            _ = buffer.append([UInt8](repeating: 7, count: 100_000).span)
            // Nobody reads on the other side: its buffers fill up.
            while pipe.count == 0 {
                _ = try from.one.send(buffer, from: buffer.start, to: buffer.end)
                _ = try await Self.fill(pipe, from: from.other, atMost: 1 << 20, from.parking)
                while pipe.count > 0, try to.one.send(pipe) > 0 {}
            }
            return !to.one.isWritable
        }
        #expect(isKept)
    }

    @Test func `are lent again when they are empty, and are not more than the limit`() async throws
    {
        try await onLoop { context in
            var pipes: [SplicePipe] = []
            for _ in 0..<PipePool.limit { pipes.append(try #require(context.pipes.take())) }
            #expect(context.pipes.take() == nil)
            let first = pipes[0]
            context.pipes.giveBack(first)
            #expect(context.pipes.take() === first)
        }
    }

    @Test func `that still hold bytes are not lent again`() async throws {
        try await onLoop { context in
            let pair = try await Pair(on: context)
            let pipe = try #require(context.pipes.take())
            let buffer = Self.buffer("left over")
            _ = try pair.one.send(buffer, from: buffer.start, to: buffer.end)
            _ = try await Self.fill(pipe, from: pair.other, atMost: 100, pair.parking)
            context.pipes.giveBack(pipe)
            let next = try #require(context.pipes.take())
            #expect(next !== pipe)
            #expect(next.count == 0)
        }
    }
}
