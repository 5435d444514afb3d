// Runs test code on a real loop with its own thread.

import Synchronization
import Transport

/// Runs `body` on a loop of the real world and returns what it returned.
func onLoop<Outcome: Sendable>(
    bufferLimit: Int = 64,
    _ body: @escaping @Sendable (LoopContext) async throws -> Outcome
) async throws -> Outcome {
    let loop = Loop(
        index: 0,
        network: try SystemNetwork(),
        bufferLimit: bufferLimit
    )
    defer { loop.stop() }
    loop.start(name: "test-loop")
    return try await withCheckedThrowingContinuation { continuation in
        loop.spawn { context in
            do {
                continuation.resume(returning: try await body(context))
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// Two connected sockets of one loop, and where they wait.
struct Pair {
    let one: Socket
    let other: Socket
    let parking: Parking

    /// Connects over the loopback; the kernel chooses the port.
    init(on context: LoopContext) async throws {
        let parking = Parking(on: context)
        let listener = try Socket.listening(
            at: Address(bytes: [127, 0, 0, 1], port: 0),
            backlog: 1,
            on: context
        )
        listener.owner = parking
        guard let address = listener.localAddress else { throw Unexpected.noAddress }
        let one = try Socket.connecting(to: address, on: context)
        one.owner = parking
        var peer: Address?
        var accepted: Int32?
        while accepted == nil {
            accepted = try listener.accept(peer: &peer)
            if accepted == nil { await parking.park(until: nil) }
        }
        while try !one.finishConnecting() { await parking.park(until: nil) }
        guard let accepted else { throw Unexpected.noAddress }
        other = try Socket(accepted, on: context)
        other.owner = parking
        self.one = one
        self.parking = parking
    }

    /// Receives until something other than waiting has happened.
    func receive(_ socket: Socket, into buffer: ByteBuffer) async throws -> Received {
        while true {
            let received = try socket.receive(into: buffer)
            if received != .wouldBlock { return received }
            await parking.park(until: nil)
        }
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8], through socket: Socket, on context: LoopContext) async throws {
        guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
        defer { context.buffers.giveBack(buffer) }
        guard buffer.append(bytes.span) else { throw Unexpected.noBuffer }
        while !buffer.isEmpty {
            buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
            if !buffer.isEmpty { await parking.park(until: nil) }
        }
    }
}

enum Unexpected: Error { case noAddress, noBuffer }

extension ByteBuffer {
    /// A copy of the run.
    var array: [UInt8] {
        var copy: [UInt8] = []
        copy.replace(with: bytes)
        return copy
    }
}

extension ByteBuffer {
    /// `append` and `lay` of an array: spans cannot stand inside an expectation.
    func put(_ bytes: [UInt8]) -> Bool { append(bytes.span) }
    func lay(_ bytes: [UInt8], before offset: Int) -> Int? { lay(bytes.span, before: offset) }
}
