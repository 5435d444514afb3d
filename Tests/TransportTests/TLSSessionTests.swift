import Certificates
import Glibc
import Testing
import Transport

@Suite struct `TLS session` {
    @Test func `carries bytes both ways`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let (outcome, arrived, agreed) = try await onLoop { context in
            let pair = try await Pair(on: context)
            let outcome = await pair.shakeHands(client, server)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try await pair.send([1, 2, 3], through: pair.one, on: context)
            _ = try await pair.receive(pair.other, into: buffer)
            try await pair.send(buffer.array, through: pair.other, on: context)
            buffer.clear()
            _ = try await pair.receive(pair.one, into: buffer)
            return (outcome, buffer.array, pair.other.agreedProtocol)
        }
        #expect(outcome.client == nil && outcome.server == nil)
        #expect(arrived == [1, 2, 3])
        #expect(agreed == "http/1.1")
    }

    @Test func `carries more than the kernel holds, in order`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let (sent, arrived, isInOrder) = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            guard let out = context.buffers.take(), let inward = context.buffers.take() else {
                throw Unexpected.noBuffer
            }
            var next: UInt8 = 0
            var expected: UInt8 = 0
            var (sent, arrived, isInOrder) = (0, 0, true)
            let total = 16 << 20
            while arrived < total {
                if out.isEmpty, sent < total {
                    out.clear()
                    let count = min(out.room, total - sent, 100_003)
                    var bytes: [UInt8] = []
                    for _ in 0..<count {
                        bytes.append(next)
                        next = next &* 5 &+ 1
                    }
                    _ = out.put(bytes)
                    sent += count
                }
                // The reader is slow: it looks only when nothing more goes out.
                let went = try pair.one.send(out, from: out.start, to: out.end)
                out.consume(went)
                if went > 0 { continue }
                inward.clear()
                switch try pair.other.receive(into: inward) {
                case .bytes(let count):
                    arrived += count
                    for byte in inward.array {
                        if byte != expected { isInOrder = false }
                        expected = expected &* 5 &+ 1
                    }
                case .wouldBlock: await pair.parking.park(until: nil)
                case .end: throw Unexpected.noBuffer
                }
            }
            return (sent, arrived, isInOrder)
        }
        #expect(sent == arrived)
        #expect(isInOrder)
    }

    @Test func `ends cleanly with close_notify`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let received = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try await pair.send([7], through: pair.other, on: context)
            pair.other.close()
            return [
                try await pair.receive(pair.one, into: buffer),
                try await pair.receive(pair.one, into: buffer),
            ]
        }
        #expect(received == [.bytes(1), .end])
    }

    @Test func `hears the end of the peer's stream, and may still send`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let (received, arrived) = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
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

    @Test func `sends its goodbye with the last bytes when it knows them`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let received = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            pair.other.endAfterNextSend()
            try await pair.send([1, 2], through: pair.other, on: context)
            // Nothing is closed yet.
            let received = [
                try await pair.receive(pair.one, into: buffer),
                try await pair.receive(pair.one, into: buffer),
            ]
            pair.other.close()
            return received
        }
        #expect(received == [.bytes(2), .end])
    }

    @Test func `takes a FIN without close_notify for a stream that was cut`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let (first, error) = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try await pair.send([7], through: pair.other, on: context)
            pair.other.abandonTLS()
            pair.other.close()
            let first = try await pair.receive(pair.one, into: buffer)
            do {
                _ = try await pair.receive(pair.one, into: buffer)
                return (first, nil as SystemError?)
            } catch let error as SystemError {
                return (first, error)
            }
        }
        #expect(first == .bytes(1))
        #expect(error?.code == ECONNABORTED)
        #expect(error?.isPeers == true)
    }

    @Test func `is not readable for what is no data`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let isReadable = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            // The server's ticket leaves with its first bytes, the client's last flight with its.
            try await pair.send([1], through: pair.one, on: context)
            _ = try await pair.receive(pair.other, into: buffer)
            try await pair.send([2], through: pair.other, on: context)
            _ = try await pair.receive(pair.one, into: buffer)
            pair.one.settle()
            return pair.one.isReadable
        }
        #expect(!isReadable)
    }

    @Test func `resumes the session of an earlier connection`() async throws {
        let (client, server) = (try Signed.tlsClient(), try Signed.tlsServer())
        let resumed = try await onLoop { context in
            var resumed: [Bool] = []
            for _ in 0..<3 {
                let pair = try await Pair(on: context)
                _ = await pair.shakeHands(client, server)
                guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
                defer { context.buffers.giveBack(buffer) }
                try await pair.send([1], through: pair.one, on: context)
                _ = try await pair.receive(pair.other, into: buffer)
                try await pair.send([2], through: pair.other, on: context)
                _ = try await pair.receive(pair.one, into: buffer)
                resumed.append(pair.one.isResumed && pair.other.isResumed)
            }
            return resumed
        }
        #expect(resumed == [false, true, true])
    }

    @Test func `says that a peer speaks plain HTTP, and can answer in clear`() async throws {
        let server = try Signed.tlsServer()
        let (error, arrived) = try await onLoop { context in
            let pair = try await Pair(on: context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            try pair.other.startTLS(as: server)
            try await pair.send(
                Array("PROPFIND / HTTP/1.1\r\n\r\n".utf8),
                through: pair.one,
                on: context
            )
            var failure: TLSError?
            while failure == nil {
                do throws(TLSError) {
                    if try pair.other.handshake() { break }
                    await pair.parking.park(until: nil)
                } catch {
                    failure = error
                }
            }
            pair.other.abandonTLS()
            try await pair.send([4, 0, 0], through: pair.other, on: context)
            var all: [UInt8] = []
            while all.suffix(3) != [4, 0, 0] {
                buffer.clear()
                _ = try await pair.receive(pair.one, into: buffer)
                all += buffer.array
            }
            return (failure, all)
        }
        #expect(error?.kind == .plainHTTP)
        #expect(arrived == [4, 0, 0])
    }
}
