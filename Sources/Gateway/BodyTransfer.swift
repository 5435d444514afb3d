// One body on its way through: finds its end in the bytes that came, and frames them anew.

internal import HTTPWire
internal import Transport

/// A run of bytes in a slab that is ready to be sent.
struct Region {
    var start: Int
    var end: Int
    var count: Int { end - start }
}

/// Takes a body out of a buffer piece by piece and gives it the framing of the other side.
///
/// Works in place: data bytes stay where they were received; chunk framing is written into the
/// room around them (`ByteBuffer.headroomBytes`, `tailroomBytes` and `gapBytes`).
struct BodyTransfer {
    /// Room left before bytes that are received behind a region: a size line takes at most 10.
    static let gapBytes = 16

    private let framing: BodyFraming
    private let sendsChunked: Bool
    private var remaining: UInt64
    /// Beside the value, which is copied on its way: most bodies have no chunks.
    private let chunks: Chunks?
    /// Whether the last byte of the body has been taken.
    private(set) var isComplete: Bool
    /// Body bytes taken so far, without framing.
    private(set) var bytesTaken: UInt64 = 0

    /// - Parameters:
    ///   - framing: how the sender marks the end.
    ///   - sendsChunked: whether the receiver gets chunks.
    ///   - limits: what chunk extensions and trailers may take.
    init(_ framing: BodyFraming, sendsChunked: Bool, limits: Limits) {
        self.framing = framing
        self.sendsChunked = sendsChunked
        isComplete = framing.isNone
        remaining = 0
        switch framing {
        case .length(let length): remaining = length
        case .chunked, .none, .untilClose: break
        }
        chunks = framing.isChunked ? Chunks(limits: limits) : nil
    }

    /// Bytes the sender still announces; nil when it did not say.
    var bytesAnnounced: UInt64? {
        if case .length = framing { return remaining }
        return nil
    }

    /// Takes the body's part of the buffer's run; what follows the body stays in the run.
    ///
    /// The region returned may be empty. Its bytes stand until the buffer is cleared.
    /// - Throws: when the chunks are malformed.
    mutating func take(from buffer: ByteBuffer) throws(WireError) -> Region {
        guard !isComplete else { return Region(start: buffer.start, end: buffer.start) }
        switch framing {
        case .none:
            return Region(start: buffer.start, end: buffer.start)
        case .length:
            let count = Int(min(remaining, UInt64(buffer.count)))
            remaining -= UInt64(count)
            isComplete = remaining == 0
            return takeRaw(count, from: buffer)
        case .untilClose:
            return takeRaw(buffer.count, from: buffer)
        case .chunked:
            return try takeChunks(from: buffer)
        }
    }

    /// Counts bytes that went on without being looked at; only of a body of a known length.
    mutating func passed(_ count: Int) {
        precondition(UInt64(count) <= remaining, "\(count) bytes of \(remaining)")
        remaining -= UInt64(count)
        bytesTaken += UInt64(count)
        isComplete = remaining == 0
    }

    /// Tells that the sender's stream has ended; the region holds what must still be sent.
    ///
    /// - Throws: when the body was not whole (RFC 9112 §8).
    mutating func end(in buffer: ByteBuffer) throws(WireError) -> Region {
        if isComplete { return Region(start: buffer.start, end: buffer.start) }
        guard framing.endsWithConnection else { throw .badChunk }
        isComplete = true
        guard sendsChunked else { return Region(start: buffer.start, end: buffer.start) }
        return frame(dataFrom: buffer.start, to: buffer.start, in: buffer, limit: buffer.start)
    }

    private mutating func takeRaw(_ count: Int, from buffer: ByteBuffer) -> Region {
        let start = buffer.start
        buffer.consume(count)
        bytesTaken += UInt64(count)
        guard sendsChunked else { return Region(start: start, end: start + count) }
        return frame(dataFrom: start, to: start + count, in: buffer, limit: buffer.start)
    }

    private mutating func takeChunks(from buffer: ByteBuffer) throws(WireError) -> Region {
        guard let chunks else { return Region(start: buffer.start, end: buffer.start) }
        let start = buffer.start
        let decoded = try buffer.withMutableBytes { (bytes) throws(WireError) in
            try chunks.decoder.decode(&bytes)
        }
        buffer.consume(decoded.consumed)
        bytesTaken += UInt64(decoded.dataLength)
        isComplete = decoded.ended
        let dataStart = start + decoded.dataStart
        let dataEnd = dataStart + decoded.dataLength
        guard sendsChunked else { return Region(start: dataStart, end: dataEnd) }
        return frame(dataFrom: dataStart, to: dataEnd, in: buffer, limit: start + decoded.consumed)
    }

    /// Writes the framing around data: `size CRLF` before it, `CRLF` behind it, and the last
    /// chunk when the body is complete.
    ///
    /// `limit`: where bytes that are not ours begin.
    private func frame(
        dataFrom start: Int,
        to end: Int,
        in buffer: ByteBuffer,
        limit: Int
    ) -> Region {
        var region = Region(start: start, end: end)
        let isLastRun = buffer.isEmpty
        if end > start {
            region.start = buffer.lay(ChunkSizeLine(end - start).bytes, before: start) ?? start
            buffer.write([0x0d, 0x0a].span, at: end)
            region.end += 2
        }
        if isComplete {
            let last = lastChunk(room: (isLastRun ? ByteBuffer.slabBytes : limit) - region.end)
            if end > start {
                buffer.write(last.span, at: region.end)
                region.end += last.count
            } else {
                // No data to stand behind: end where the taken bytes end.
                let plain = lastChunk(room: 0)
                region.end = limit
                region.start = buffer.lay(plain.span, before: limit) ?? limit
            }
        }
        if isLastRun && region.end > buffer.start {
            // Later bytes go behind what is still to be sent.
            buffer.setRun(from: region.end, to: region.end)
        }
        return region
    }

    /// The last chunk, with the trailers if there is room for them (RFC 9110 §6.5.1 lets them go).
    private func lastChunk(room: Int) -> [UInt8] {
        var bytes: [UInt8] = [0x30, 0x0d, 0x0a]
        if let trailers = chunks?.decoder.trailers, !trailers.isEmpty, trailers.count + 5 <= room {
            bytes += trailers
        }
        bytes += [0x0d, 0x0a]
        return bytes
    }
}

/// The state of a chunked body on its way in.
private final class Chunks {
    var decoder: ChunkedDecoder
    init(limits: Limits) { decoder = ChunkedDecoder(limits: limits) }
}

/// `size CRLF` in hexadecimal, without leading zeros.
private struct ChunkSizeLine {
    private var digits = InlineArray<12, UInt8>(repeating: 0)
    private var first = 10

    init(_ size: Int) {
        digits[10] = 0x0d
        digits[11] = 0x0a
        var rest = size
        repeat {
            first -= 1
            let digit = UInt8(rest & 15)
            digits[first] = digit < 10 ? 0x30 + digit : 0x61 + digit - 10
            rest >>= 4
        } while rest > 0
    }

    var bytes: Span<UInt8> {
        @_lifetime(borrow self)
        borrowing get { digits.span.extracting(first..<12) }
    }
}
