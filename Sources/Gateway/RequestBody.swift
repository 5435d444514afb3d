// The request's bytes on their way to the replica: streamed, and held for as long as another
// attempt may need them.

internal import HTTPWire
internal import Transport

/// Moves a request, head and body, from a client's socket to a replica's.
///
/// Never waits: `pump` moves what can be moved now. Bytes that were sent are kept until the body
/// outgrows `holdBytesMax`; until then the whole request can be sent once more.
final class RequestBody {
    private struct Piece {
        let buffer: ByteBuffer
        var start: Int
        var end: Int
    }

    private let buffers: BufferPool
    private let pipes: PipePool
    /// The way of the rest of a large body, once nothing of it is held.
    private var pipe: SplicePipe?
    private var transfer = BodyTransfer(.none, sendsChunked: false, limits: Limits())
    private var pieces: [Piece] = []
    /// Slabs filled before the current one, still held.
    private var filled: [ByteBuffer] = []
    private var next = 0
    private var cursor = 0
    private var headStart = 0
    private var bytesMax = UInt64.max
    private var holdBytesMax = 0
    /// Whether everything received so far is still here.
    private(set) var isReplayable = true
    /// Whether what is sent is held for another attempt.
    private var isHolding = true
    /// Whether the replica takes no more; the rest of the body is not forwarded.
    var isBroken = false

    /// So many bytes still to come are worth a pipe.
    private static let pipedBytesMin = 64 * 1024

    init(on context: LoopContext) {
        buffers = context.buffers
        pipes = context.pipes
    }

    /// Whether the client has sent all of it.
    var isReceived: Bool { transfer.isComplete }
    /// Whether the replica has been sent all of it.
    var isSent: Bool { transfer.isComplete && next == pieces.count && pipe.isEmpty }
    /// Whether all of it is announced and few enough bytes to be held for another attempt.
    var staysReplayable: Bool {
        transfer.bytesAnnounced.map { $0 + transfer.bytesTaken <= UInt64(holdBytesMax) } ?? false
    }
    /// Body bytes received, without framing.
    var bytesReceived: UInt64 { transfer.bytesTaken }
    /// What the queue counts: the memory this request holds while it waits.
    var bytesHeld: Int { pieces.reduce(0) { $0 + $1.end - $1.start } }

    /// Nothing was received yet.
    func reset() {
        transfer = BodyTransfer(.none, sendsChunked: false, limits: Limits())
        isReplayable = true
        isBroken = false
    }

    /// Starts with a request whose head has just been consumed from `buffer`.
    ///
    /// The body may have `bytesMax` bytes, the route's limit; `holdBytesMax` of them are held for
    /// another attempt.
    /// - Throws: `.tooLarge`, or `.malformed` when its first chunks are.
    func begin(
        _ framing: BodyFraming,
        in buffer: ByteBuffer,
        bytesMax: UInt64,
        holdBytesMax: Int,
        limits: Limits
    ) throws(ExchangeError) {
        transfer = BodyTransfer(framing, sendsChunked: framing.isChunked, limits: limits)
        self.bytesMax = bytesMax
        self.holdBytesMax = holdBytesMax
        isReplayable = true
        isBroken = false
        next = 0
        cursor = 0
        if let announced = transfer.bytesAnnounced, announced > bytesMax { throw .tooLarge }
        // The first piece always exists, if empty: the head is laid before it.
        pieces.append(Piece(buffer: buffer, start: buffer.start, end: buffer.start))
        try take(from: buffer, into: 0)
    }

    /// Lays the head right before the first piece, so that both leave in one send.
    ///
    /// Returns whether there was room for it.
    func lay(head: HeadScratch, _ count: Int) -> Bool {
        let first = pieces[0]
        guard let start = first.buffer.lay(head.bytes(count), before: first.start) else {
            return false
        }
        headStart = start
        return true
    }

    /// Writes over bytes of the head, which end `distance` bytes before the head's end.
    func patchHead(_ bytes: Span<UInt8>, endingBeforeEndBy distance: Int) {
        pieces[0].buffer.write(bytes, at: pieces[0].start - distance - bytes.count)
    }

    /// Where the bytes begin that must be kept while the request waits; nil when they stand in
    /// more than one place.
    var keptFrom: Int? { pieces.count == 1 && filled.isEmpty ? headStart : nil }

    /// The bytes now stand in another buffer, `distance` bytes further to the front.
    func move(to buffer: ByteBuffer, by distance: Int) {
        let piece = pieces[0]
        pieces[0] = Piece(
            buffer: buffer,
            start: piece.start - distance,
            end: piece.end - distance
        )
        headStart -= distance
    }

    /// Goes back to the head's first byte.
    ///
    /// What this attempt sends is held for another one, or let go as it is sent.
    func startAttempt(holding: Bool) {
        precondition(isReplayable, "a body that is gone cannot be sent again")
        isHolding = holding
        next = 0
        cursor = headStart
        isBroken = false
    }

    /// Moves what can be moved without waiting; returns whether anything moved.
    ///
    /// A fast client is left after a while, so that others get their turn.
    func pump(
        from client: Socket,
        through current: inout ByteBuffer,
        to upstream: Socket
    ) throws(ExchangeError) -> Bool {
        var moved = false
        for _ in 0..<16 {
            if try sendPieces(to: upstream) { moved = true }
            if next < pieces.count || isSent { return moved }
            if let pipe = pipe ?? takePipe(from: client, to: upstream) {
                guard try pump(from: client, through: pipe, to: upstream) else { return moved }
                moved = true
                continue
            }
            guard try receive(from: client, through: &current) else { return moved }
            moved = true
        }
        return moved
    }

    /// A pipe for what is still to come, if that is worth it and none of it need be kept.
    private func takePipe(from client: Socket, to upstream: Socket) -> SplicePipe? {
        guard !isHolding, let announced = transfer.bytesAnnounced,
            announced >= UInt64(RequestBody.pipedBytesMin), client.splices(to: upstream)
        else { return nil }
        isReplayable = false
        pipe = pipes.take()
        return pipe
    }

    private func pump(
        from client: Socket,
        through pipe: SplicePipe,
        to upstream: Socket
    ) throws(ExchangeError) -> Bool {
        var moved = false
        if pipe.count == 0, let announced = transfer.bytesAnnounced, announced > 0 {
            let received: Received
            do throws(SystemError) {
                received = try client.receive(into: pipe, atMost: Int(announced))
            } catch {
                throw .clientGone
            }
            switch received {
            case .wouldBlock: return false
            case .end: throw .clientGone
            case .bytes(let count): transfer.passed(count)
            }
            moved = true
        }
        do throws(SystemError) {
            return try upstream.send(pipe) > 0 || moved
        } catch {
            isBroken = true
            return moved
        }
    }

    /// Takes the rest of the body and throws it away, as far as it has arrived.
    ///
    /// Returns whether anything came.
    func discard(from client: Socket, through current: inout ByteBuffer) throws(ExchangeError)
        -> Bool
    {
        stopHolding(keeping: current)
        pieces.removeAll(keepingCapacity: true)
        next = 0
        givePipeBack()
        return try receive(from: client, through: &current)
    }

    /// Gives back every slab but the client's current one.
    func finish(keeping current: ByteBuffer) {
        stopHolding(keeping: current)
        givePipeBack()
        pieces.removeAll(keepingCapacity: true)
        next = 0
    }

    private func sendPieces(to upstream: Socket) throws(ExchangeError) -> Bool {
        var moved = false
        while next < pieces.count {
            let piece = pieces[next]
            if cursor < piece.end {
                let sent: Int
                do throws(SystemError) {
                    sent = try upstream.send(piece.buffer, from: cursor, to: piece.end)
                } catch {
                    isBroken = true
                    return moved
                }
                if sent == 0 { return moved }
                moved = true
                cursor += sent
                if cursor < piece.end { continue }
            }
            next += 1
            if next < pieces.count { cursor = pieces[next].start }
        }
        return moved
    }

    /// Receives more of the body; everything before has been sent.
    private func receive(
        from client: Socket,
        through current: inout ByteBuffer
    ) throws(ExchangeError) -> Bool {
        try makeRoom(in: &current)
        let received: Received
        do throws(SystemError) {
            received = try client.receive(into: current)
        } catch {
            throw .clientGone
        }
        switch received {
        case .wouldBlock: return false
        case .end: throw .clientGone
        case .bytes:
            pieces.append(Piece(buffer: current, start: current.start, end: current.start))
            cursor = current.start
            next = pieces.count - 1
            try take(from: current, into: next)
            return true
        }
    }

    private func makeRoom(in current: inout ByteBuffer) throws(ExchangeError) {
        if isReplayable && (!isHolding || transfer.bytesTaken >= UInt64(holdBytesMax)) {
            stopHolding(keeping: current)
        }
        if !isReplayable && !current.isSnug {
            pieces.removeAll(keepingCapacity: true)
            next = 0
            current.clear()
            return
        }
        guard current.room < 8 * 1024 else {
            // Room for the size line of the next chunk.
            let start = current.end + BodyTransfer.gapBytes
            current.setRun(from: start, to: start)
            return
        }
        guard let another = buffers.take() else {
            if current.isSnug { throw .outOfBuffers }
            stopHolding(keeping: current)
            pieces.removeAll(keepingCapacity: true)
            next = 0
            current.clear()
            return
        }
        if isReplayable {
            filled.append(current)
        } else {
            pieces.removeAll(keepingCapacity: true)
            next = 0
            buffers.giveBack(current)
        }
        current = another
    }

    private func take(from buffer: ByteBuffer, into index: Int) throws(ExchangeError) {
        let region: Region
        do throws(WireError) {
            region = try transfer.take(from: buffer)
        } catch {
            throw .malformed(error)
        }
        guard transfer.bytesTaken <= bytesMax else { throw .tooLarge }
        pieces[index].start = region.start
        pieces[index].end = region.end
        cursor = region.start
    }

    private func givePipeBack() {
        if let pipe { pipes.giveBack(pipe) }
        pipe = nil
    }

    private func stopHolding(keeping current: ByteBuffer) {
        isReplayable = false
        guard !filled.isEmpty else { return }
        for buffer in filled where buffer !== current { buffers.giveBack(buffer) }
        filled.removeAll(keepingCapacity: true)
    }
}

extension SplicePipe? {
    /// Whether no byte is on its way through it.
    fileprivate var isEmpty: Bool { (self?.count ?? 0) == 0 }
}
