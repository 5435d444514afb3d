import Glibc
import Testing

@testable import Transport

@Suite struct `Blocking connection` {
    @Test func `sends and receives until the peer ends`() async throws {
        let echoed = try await withPeer { listener, parking, context in
            let peer = try await accept(from: listener, parking, context)
            guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
            while buffer.count < 5 {
                if try peer.receive(into: buffer) == .wouldBlock { await parking.park(until: nil) }
            }
            _ = try peer.send(buffer, from: buffer.start, to: buffer.end)
            peer.close()
        } client: { address in
            let connection = try BlockingConnection.open(to: address, until: .now + .seconds(10))
            try connection.send(Array("hello".utf8))
            var bytes: [UInt8] = []
            while try connection.receive(into: &bytes) {}
            return bytes
        }
        #expect(echoed == Array("hello".utf8))
    }

    @Test func `gives up at its deadline when nothing comes`() async throws {
        let code = try await withPeer { listener, parking, context in
            // Held open until the client has given up and closed.
            let peer = try await accept(from: listener, parking, context)
            while !peer.peerClosed { await parking.park(until: nil) }
        } client: { address in
            let connection = try BlockingConnection.open(
                to: address,
                until: .now + .milliseconds(50)
            )
            do throws(SystemError) {
                var bytes: [UInt8] = []
                _ = try connection.receive(into: &bytes)
                return Int32(0)
            } catch {
                return error.code
            }
        }
        #expect(code == ETIMEDOUT)
    }

    @Test func `is refused where nobody listens`() throws {
        // Port 1 of the loopback: nobody's.
        let address = Address(bytes: [127, 0, 0, 1], port: 1)
        #expect(throws: SystemError(code: ECONNREFUSED, call: "connect")) {
            _ = try BlockingConnection.open(to: address, until: .now + .seconds(10))
        }
    }

    /// Runs a peer on a loop and a client on a thread, against each other.
    private func withPeer<Outcome: Sendable>(
        _ peer: @escaping @Sendable (Socket, Parking, LoopContext) async throws -> Void,
        client: @escaping @Sendable (Address) throws -> Outcome
    ) async throws -> Outcome {
        try await withCheckedThrowingContinuation { continuation in
            Task {
                do {
                    try await onLoop { context in
                        let parking = Parking(on: context)
                        let listener = try Socket.listening(
                            at: Address(bytes: [127, 0, 0, 1], port: 0),
                            backlog: 1,
                            on: context
                        )
                        listener.owner = parking
                        guard let address = listener.localAddress else {
                            throw Unexpected.noAddress
                        }
                        Thread.start(name: "client") {
                            continuation.resume(with: Result { try client(address) })
                        }
                        try await peer(listener, parking, context)
                    }
                } catch {
                    Issue.record("the peer failed: \(error)")
                }
            }
        }
    }
}

/// Waits for one connection.
private func accept(
    from listener: Socket,
    _ parking: Parking,
    _ context: LoopContext
) async throws -> Socket {
    var address: Address?
    while true {
        if let descriptor = try listener.accept(peer: &address) {
            let socket = try Socket(descriptor, on: context)
            socket.owner = parking
            return socket
        }
        await parking.park(until: nil)
    }
}
