// One TCP connection as either side uses it: sends whole messages, waits, reads bodies.

internal import HTTPWire
internal import Transport

/// Why a connection is of no more use.
enum LinkError: Error {
    /// The peer has ended it properly.
    case ended
    /// It broke.
    case broken
    case timedOut
    /// What came is no HTTP.
    case malformed
    /// It could not be opened.
    case refused
}

/// A connection.
///
/// Confined to its loop.
final class Link {
    let context: LoopContext
    let socket: Socket
    let parking: Parking
    /// What has been received and not yet read; none while nothing has.
    private(set) var buffer: ByteBuffer?
    /// Whether a message went over it before.
    var isReused = false
    /// What its sleeps end by, once it has slept.
    private var timer: ExactTimer?

    init(_ socket: Socket, on context: LoopContext) {
        self.context = context
        self.socket = socket
        parking = Parking(on: context)
        socket.owner = parking
    }

    /// Opens a connection.
    static func connect(
        to address: Address,
        until deadline: Instant,
        on context: LoopContext
    ) async throws(LinkError) -> Link {
        do throws(SystemError) {
            let link = Link(try Socket.connecting(to: address, on: context), on: context)
            while !(try link.socket.finishConnecting()) {
                if context.now >= deadline { break }
                await link.parking.park(until: deadline)
            }
            if link.socket.isWritable { return link }
        } catch {
            throw .refused
        }
        throw .timedOut
    }

    /// The time now; the loop's own is as old as its turn.
    var clock: Instant { context.exactNow }

    /// Whether an idle connection is still good: nothing has come, not even its end.
    var isFresh: Bool { socket.isOpen && !socket.peerClosed && !socket.isReadable }

    func close() {
        releaseBuffer()
        socket.close()
    }

    func reset() {
        releaseBuffer()
        socket.reset()
    }

    func releaseBuffer() {
        if let buffer { context.buffers.giveBack(buffer) }
        buffer = nil
    }

    /// Sends all of `bytes`.
    func send(_ bytes: [UInt8], until deadline: Instant?) async throws(LinkError) {
        guard let slab = context.buffers.take() else { throw .broken }
        defer { context.buffers.giveBack(slab) }
        var done = 0
        while done < bytes.count {
            slab.clear()
            let count = min(slab.room, bytes.count - done)
            _ = slab.append(bytes.span.extracting(done..<done + count))
            done += count
            try await sendRun(of: slab, until: deadline)
        }
    }

    private func sendRun(of slab: ByteBuffer, until deadline: Instant?) async throws(LinkError) {
        while !slab.isEmpty {
            do throws(SystemError) {
                slab.consume(try socket.send(slab, from: slab.start, to: slab.end))
            } catch {
                throw .broken
            }
            if !slab.isEmpty { try await wait(until: deadline) }
        }
    }

    /// Waits until something happens.
    func wait(until deadline: Instant?) async throws(LinkError) {
        if let deadline, context.now >= deadline { throw .timedOut }
        await parking.park(until: deadline)
        if socket.isBroken { throw .broken }
    }

    /// Waits for a time, exactly; ends early when the peer has left, unless told to go on.
    func sleep(until instant: Instant, whoeverLeaves: Bool = false) async throws(LinkError) {
        guard context.now < instant else { return }
        try exactTimer().set(at: instant)
        while context.now < instant {
            if socket.peerClosed && !whoeverLeaves { throw .ended }
            await parking.park(until: nil)
        }
    }

    private func exactTimer() throws(LinkError) -> ExactTimer {
        if let timer { return timer }
        do throws(SystemError) {
            let timer = try ExactTimer(resuming: parking, on: context)
            self.timer = timer
            return timer
        } catch {
            throw .broken
        }
    }

    /// Receives more into `buffer`.
    func receive(until deadline: Instant?) async throws(LinkError) {
        while true {
            guard let buffer = buffer ?? context.buffers.take() else { throw .broken }
            self.buffer = buffer
            if buffer.isEmpty { buffer.clear() }
            if buffer.room == 0 { buffer.compact() }
            guard buffer.room > 0 else { throw .malformed }
            let received: Received
            do throws(SystemError) {
                received = try socket.receive(into: buffer)
            } catch {
                throw .broken
            }
            switch received {
            case .bytes: return
            case .end: throw .ended
            case .wouldBlock:
                if buffer.isEmpty { releaseBuffer() }
                try await wait(until: deadline)
            }
        }
    }

    /// Reads a body to its end; returns its bytes and their hash.
    ///
    /// The hash is made if it is wanted; `noting` is called for each piece, as it comes.
    func readBody(
        _ framing: BodyFraming,
        until deadline: Instant?,
        hashing: Bool = true,
        noting: () -> Void = {}
    ) async throws(LinkError) -> BodyDigest {
        var reader = BodyReader(framing, hashing: hashing)
        while true {
            if let buffer, !buffer.isEmpty {
                noting()
                try reader.take(from: buffer)
            }
            if reader.hasEnded { break }
            do throws(LinkError) {
                try await receive(until: deadline)
            } catch {
                guard error == .ended, framing == .untilClose else { throw error }
                break
            }
        }
        if buffer?.isEmpty == true { releaseBuffer() }
        return reader.digest
    }
}

/// How long a body was, and a hash of it (FNV-1a, 64 bits).
struct BodyDigest {
    private(set) var bytes = 0
    private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func add(_ run: Span<UInt8>, hashing: Bool) {
        bytes += run.count
        guard hashing else { return }
        for index in run.indices { hash = (hash ^ UInt64(run[index])) &* 0x100_0000_01b3 }
    }
}

/// Takes one body out of what is received, in any pieces.
struct BodyReader {
    private(set) var digest = BodyDigest()
    private(set) var hasEnded = false
    private var left = 0
    private let framing: BodyFraming
    private var decoder = ChunkedDecoder()
    private let isHashing: Bool

    init(_ framing: BodyFraming, hashing: Bool) {
        self.framing = framing
        isHashing = hashing
        switch framing {
        case .none: hasEnded = true
        case .length(let length): left = Int(clamping: length)
        case .chunked, .untilClose: break
        }
    }

    /// Takes what belongs to the body from the front of the buffer's run.
    mutating func take(from buffer: ByteBuffer) throws(LinkError) {
        switch framing {
        case .none:
            return
        case .length, .untilClose:
            let count = framing == .untilClose ? buffer.count : min(left, buffer.count)
            digest.add(buffer.bytes.extracting(0..<count), hashing: isHashing)
            buffer.consume(count)
            left -= count
            hasEnded = framing != .untilClose && left == 0
        case .chunked:
            let decoded: ChunkedDecoder.Decoded
            do throws(WireError) {
                decoded = try buffer.withMutableBytes { (bytes) throws(WireError) in
                    try decoder.decode(&bytes)
                }
            } catch {
                throw .malformed
            }
            let data = decoded.dataStart..<decoded.dataStart + decoded.dataLength
            digest.add(buffer.bytes.extracting(data), hashing: isHashing)
            buffer.consume(decoded.consumed)
            hasEnded = decoded.ended
        }
    }
}
