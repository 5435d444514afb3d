// An upgraded connection: bytes both ways until both sides have ended.

internal import HTTPWire
internal import Transport

extension ClientConnection {
    /// Relays raw bytes after a 101, first what came with it (RFC 9110 §7.8).
    ///
    /// Each direction ends on its own (half-close); the tunnel ends when both have, when either
    /// side breaks, or when nothing moved for the idle time.
    func tunnel(
        _ answer: Answer,
        _ upstream: UpstreamConnection,
        _ exchange: Exchange
    ) async throws(ExchangeError) {
        guard let toClient = upstream.buffer, let toReplica = roomyBuffer() else {
            throw .clientGone
        }
        exchange.isTunnel = true
        toClient.setRun(from: answer.pending.start, to: toClient.end)
        var down = Direction(from: upstream.socket, to: socket, through: toClient)
        var up = Direction(from: socket, to: upstream.socket, through: toReplica)
        let idle = lane.snapshot.settings.timeouts.tunnelIdle
        var lastProgress = lane.now
        while !(down.hasEnded && up.hasEnded) {
            let moved: Bool
            do throws(SystemError) {
                let movedDown = try down.move()
                let movedUp = try up.move()
                moved = movedDown || movedUp
            } catch {
                break
            }
            if moved {
                lastProgress = lane.now
                await lane.context.yield()
                continue
            }
            await parking.park(until: lastProgress + idle)
            if socket.isBroken || upstream.socket.isBroken || lane.gateway.isCutting { break }
            if lane.now >= lastProgress + idle { break }
        }
        exchange.bytesSent = down.bytes
    }
}

/// One direction of a tunnel.
private struct Direction {
    let source: Socket
    let target: Socket
    let buffer: ByteBuffer
    private var sourceEnded = false
    private(set) var hasEnded = false
    private(set) var bytes: UInt64 = 0

    init(from source: Socket, to target: Socket, through buffer: ByteBuffer) {
        self.source = source
        self.target = target
        self.buffer = buffer
    }

    /// Moves what can be moved now, one slab at most; returns whether anything moved.
    mutating func move() throws(SystemError) -> Bool {
        if hasEnded { return false }
        var moved = false
        if buffer.isEmpty && !sourceEnded {
            buffer.clear()
            switch try source.receive(into: buffer) {
            case .bytes: moved = true
            case .end:
                sourceEnded = true
                moved = true
            case .wouldBlock: break
            }
        }
        let count = try target.send(buffer, from: buffer.start, to: buffer.end)
        buffer.consume(count)
        bytes += UInt64(count)
        if sourceEnded && buffer.isEmpty {
            target.shutdownWrite()
            hasEnded = true
            return true
        }
        return moved || count > 0
    }
}
