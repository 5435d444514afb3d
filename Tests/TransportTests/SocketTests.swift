import Glibc
import Testing
import Transport

@Suite struct `TCP socket` {
    @Test func `carries bytes in both directions`() async throws {
        let arrived = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try await pair.send([1, 2, 3], through: pair.one, on: context)
            _ = try await pair.receive(pair.other, into: buffer)
            try await pair.send(buffer.array, through: pair.other, on: context)
            buffer.clear()
            _ = try await pair.receive(pair.one, into: buffer)
            return buffer.array
        }
        #expect(arrived == [1, 2, 3])
    }

    @Test func `would block when nothing has come`() async throws {
        let received = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            let received = try pair.one.receive(into: buffer)
            return (received, pair.one.isReadable)
        }
        #expect(received.0 == .wouldBlock)
        #expect(!received.1)
    }

    @Test func `hears the end of the peer's stream, and may still send`() async throws {
        let (received, arrived) = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            pair.one.shutdownWrite()
            let received = try await pair.receive(pair.other, into: buffer)
            try await pair.send([7], through: pair.other, on: context)
            _ = try await pair.receive(pair.one, into: buffer)
            return (received, buffer.array)
        }
        #expect(received == .end)
        #expect(arrived == [7])
    }

    @Test func `gives the last bytes before the end`() async throws {
        let all = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try await pair.send([1, 2], through: pair.one, on: context)
            pair.one.close()
            while try await pair.receive(pair.other, into: buffer) != .end {}
            return (buffer.array, pair.other.peerClosed)
        }
        #expect(all.0 == [1, 2])
        #expect(all.1)
    }

    @Test func `throws when the peer resets`() async throws {
        let error = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            pair.one.reset()
            do {
                _ = try await pair.receive(pair.other, into: buffer)
                return nil as SystemError?
            } catch let error as SystemError {
                return error
            }
        }
        #expect(error?.code == ECONNRESET)
        #expect(error?.isPeers == true)
    }

    @Test func `knows that the peer is gone when a send tells so first`() async throws {
        let isClosed = try await onLoop { context -> Bool in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            _ = buffer.put([1])
            // No poll comes between the reset and the send.
            pair.one.reset()
            do throws(SystemError) {
                while true { _ = try pair.other.send(buffer, from: buffer.start, to: buffer.end) }
            } catch {
                return pair.other.isBroken && pair.other.peerClosed
            }
        }
        #expect(isClosed)
    }

    @Test func `takes nothing more when the peer does not read, and goes on when it does`()
        async throws
    {
        let (sent, arrived) = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let out = context.buffers.take(), let inward = context.buffers.take() else {
                throw Unexpected.noBuffer
            }
            _ = out.append([UInt8](repeating: 5, count: out.room).span)
            var sent = 0
            while pair.one.isWritable {
                sent += try pair.one.send(out, from: out.start, to: out.end)
            }
            var arrived = 0
            while arrived < sent {
                inward.clear()
                guard case .bytes(let count) = try await pair.receive(pair.other, into: inward)
                else { break }
                arrived += count
            }
            while !pair.one.isWritable { await pair.parking.park(until: nil) }
            return (sent, arrived)
        }
        #expect(sent > 0 && sent == arrived)
    }

    @Test func `reports a refused connection`() async throws {
        let error = try await onLoop { context in
            let parking = Parking(on: context)
            let listener = try Socket.listening(
                at: Address(bytes: [127, 0, 0, 1], port: 0),
                backlog: 1,
                on: context
            )
            guard let address = listener.localAddress else { throw Unexpected.noAddress }
            listener.close()
            do {
                let socket = try Socket.connecting(to: address, on: context)
                socket.owner = parking
                while try !socket.finishConnecting() { await parking.park(until: nil) }
                return nil as SystemError?
            } catch let error as SystemError {
                return error
            }
        }
        #expect(error?.code == ECONNREFUSED)
    }

    @Test func `shares a listening address between loops`() async throws {
        let isSame = try await onLoop { context in
            let one = try Socket.listening(
                at: Address(bytes: [127, 0, 0, 1], port: 0),
                backlog: 1,
                on: context
            )
            guard let address = one.localAddress else { throw Unexpected.noAddress }
            let other = try Socket.listening(at: address, backlog: 1, on: context)
            return other.localAddress == address
        }
        #expect(isSame)
    }

    @Test func `reserves an address that is free, and refuses one that is taken`() async throws {
        let code = try await onLoop { context -> Int32 in
            let any = Address(bytes: [127, 0, 0, 1], port: 0)
            let free = try Socket.reserve(any, on: context)
            let listener = try Socket.listening(at: free, backlog: 1, on: context)
            defer { listener.close() }
            do throws(SystemError) {
                _ = try Socket.reserve(free, on: context)
                return 0
            } catch {
                return error.code
            }
        }
        #expect(code == EADDRINUSE)
    }

    @Test func `tells where an accepted connection comes from`() async throws {
        let peer = try await onLoop { context in
            let parking = Parking(on: context)
            let listener = try Socket.listening(
                at: Address(bytes: [127, 0, 0, 1], port: 0),
                backlog: 1,
                on: context
            )
            listener.owner = parking
            guard let address = listener.localAddress else { throw Unexpected.noAddress }
            let socket = try Socket.connecting(to: address, on: context)
            defer { socket.close() }
            var peer: Address?
            while true {
                if let descriptor = try listener.accept(peer: &peer) {
                    try Socket(descriptor, on: context).close()
                    return peer
                }
                await parking.park(until: nil)
            }
        }
        #expect(peer?.bytes == [127, 0, 0, 1])
    }

    @Test func `may be closed twice, and leaves its loop's table`() async throws {
        let (during, after) = try await onLoop { context in
            let pair = try await Pair(on: context)
            let during = context.openSockets
            pair.one.close()
            pair.one.close()
            pair.one.reset()
            pair.other.close()
            return (during, context.openSockets)
        }
        #expect(during == 2)
        #expect(after == 0)
    }

    @Test func `closes when nobody holds it any more`() async throws {
        let open = try await onLoop { context in
            do { _ = try await Pair(on: context) }
            return context.openSockets
        }
        #expect(open == 0)
    }
}
