// A connection as an actor of the world holds it: no calls that can fail, only what happened.

import Transport

/// An actor's end of a virtual connection.
package final class PeerSocket {
    private unowned let world: SimulatedWorld
    private let socket: VirtualSocket
    /// Called after anything happened; the actor looks what.
    package var changed: ((PeerSocket) -> Void)?
    /// Handed over by the actor and not yet by the virtual kernel.
    private var unsent = ByteQueue()
    private var finishes = false
    /// Bytes taken from the stream so far.
    package private(set) var received = 0

    init(_ socket: VirtualSocket, in world: SimulatedWorld) {
        self.world = world
        self.socket = socket
    }

    /// The connection's number in its world; both ends differ.
    package var number: Int32 { socket.descriptor }
    package var remote: Address? { socket.remote }
    package var isConnecting: Bool { socket.state == .connecting }
    /// The attempt failed, or a reset arrived.
    package var isBroken: Bool { socket.isBroken || socket.state == .failed }
    /// No connection came about.
    package var isRefused: Bool { socket.state == .failed }
    package var isClosed: Bool { socket.isClosed }
    /// The far end will send nothing more and everything was read.
    package var atEnd: Bool {
        guard let pipe = socket.incoming else { return isBroken }
        return pipe.arrived.isEmpty && (pipe.finishArrived || socket.isBroken)
    }
    /// Bytes written that the virtual kernel has not taken yet.
    package var unsentBytes: Int { unsent.count }
    /// Bytes written that the far end has not received yet.
    package var undeliveredBytes: Int { unsent.count + (socket.outgoing?.outbox.count ?? 0) }
    /// Whether the far end's owner still holds its end: what the world knows before we hear of it.
    package var farSideIsOpen: Bool { world.farSideIsOpen(of: socket) }

    /// Takes what has arrived, at most so many bytes.
    package func read(atMost count: Int = .max) -> [UInt8] {
        guard !isClosed else { return [] }
        let bytes = world.take(count, from: socket)
        received += bytes.count
        return bytes
    }

    /// Hands over bytes; what does not fit now follows by itself.
    package func write(_ bytes: [UInt8]) {
        guard !isClosed, !isBroken, !finishes else { return }
        unsent.append(bytes)
        push()
    }

    /// Ends the stream once everything written has left.
    package func finish() {
        finishes = true
        push()
    }

    /// Closes once what the virtual kernel has taken was sent.
    package func close() {
        guard !isClosed else { return }
        push()
        changed = nil
        world.close(socket)
    }

    /// Closes with a reset.
    package func reset() {
        guard !isClosed else { return }
        changed = nil
        world.reset(socket)
    }

    /// Called by the world on every edge.
    func happened() {
        push()
        changed?(self)
    }

    private func push() {
        guard !isClosed, !isBroken, socket.state == .open else { return }
        while !unsent.isEmpty {
            let count = world.roomToSend(of: socket)
            guard count > 0 else {
                socket.wantsWritable = true
                return
            }
            world.put(unsent.take(count), into: socket)
        }
        if finishes { world.finish(socket) }
    }
}
