// One TCP socket of a loop: what is known of its readiness, and the calls that try.

internal import CLinux
internal import Glibc

/// What one receive brought.
package enum Received: Equatable, Sendable {
    /// So many bytes were appended to the buffer.
    case bytes(Int)
    /// Nothing there now; wait for readiness.
    case wouldBlock
    /// The peer has sent its last byte.
    case end
}

/// A registered socket.
///
/// Confined to its loop. Edge-triggered: readiness is two booleans here, set by the poller and
/// cleared by the call that found nothing left. Nothing in here waits; the owner's `Parking` does.
package final class Socket {
    private unowned let context: LoopContext
    private let network: any Network
    private var descriptor: Int32
    private let slot: Int
    /// Who is resumed when anything happens here; nil: nobody, the booleans tell later.
    package var owner: Parking?
    package private(set) var isReadable = true
    package private(set) var isWritable = true
    /// The peer sends nothing more: FIN, or broken.
    package private(set) var peerClosed = false
    /// The connection is broken in both directions.
    package private(set) var isBroken = false

    /// Takes over an open descriptor and registers it.
    ///
    /// - Throws: when the kernel refuses; the descriptor is closed then.
    package init(_ descriptor: Int32, on context: LoopContext) throws(SystemError) {
        self.context = context
        network = context.network
        self.descriptor = descriptor
        slot = context.nextSlot()
        let result = network.register(descriptor, token: context.token(of: slot))
        guard result >= 0 else {
            network.close(descriptor)
            context.abandon(slot: slot)
            throw SystemError(code: -result, call: "epoll_ctl")
        }
        context.occupy(slot, with: self)
    }

    /// Starts a connection; it stands or has failed once `isConnecting` is false.
    ///
    /// - Throws: when it fails at once.
    package static func connecting(
        to address: Address,
        on context: LoopContext
    ) throws(SystemError) -> Socket {
        let descriptor = context.network.connect(to: address)
        guard descriptor >= 0 else { throw SystemError(code: -descriptor, call: "connect") }
        let socket = try Socket(descriptor, on: context)
        socket.isReadable = false
        socket.isWritable = false
        return socket
    }

    /// A listening socket.
    ///
    /// - Throws: when the address is taken or not ours.
    package static func listening(
        at address: Address,
        backlog: Int32,
        on context: LoopContext
    ) throws(SystemError) -> Socket {
        let descriptor = context.network.listen(at: address, backlog: backlog, shared: true)
        guard descriptor >= 0 else { throw SystemError(code: -descriptor, call: "listen") }
        return try Socket(descriptor, on: context)
    }

    /// Finds out whether an address is free, by binding it alone for a moment; returns it with
    /// the port that the kernel chose if it was asked for any.
    ///
    /// `listening` shares an address between loops, and so would share it with another gateway.
    /// - Throws: when it is taken or not ours.
    package static func reserve(
        _ address: Address,
        on context: LoopContext
    ) throws(SystemError) -> Address {
        let network = context.network
        let descriptor = network.listen(at: address, backlog: 1, shared: false)
        guard descriptor >= 0 else { throw SystemError(code: -descriptor, call: "listen") }
        defer { network.close(descriptor) }
        return network.localAddress(of: descriptor) ?? address
    }

    deinit { close() }

    /// Whether it has not been closed.
    package var isOpen: Bool { descriptor >= 0 }

    /// The bound address of a listener.
    package var localAddress: Address? { network.localAddress(of: descriptor) }

    /// Marks what the poller saw and resumes the owner.
    func mark(_ readiness: Readiness) {
        if readiness.contains(.readable) { isReadable = true }
        if readiness.contains(.writable) { isWritable = true }
        if readiness.contains(.peerClosed) { peerClosed = true }
        if readiness.contains(.broken) {
            peerClosed = true
            isBroken = true
        }
        owner?.unpark()
    }

    /// Whether a started connection has ended its attempt; throws what it ended with.
    package func finishConnecting() throws(SystemError) -> Bool {
        guard isWritable else { return false }
        let result = network.connectionError(of: descriptor)
        guard result >= 0 else { throw SystemError(code: -result, call: "connect") }
        return true
    }

    /// Takes one connection from a listener; nil when none waits.
    ///
    /// - Throws: when the machine has no descriptor or memory left.
    package func accept(peer: inout Address?) throws(SystemError) -> Int32? {
        while true {
            let accepted = network.accept(from: descriptor, peer: &peer)
            if accepted >= 0 { return accepted }
            switch -accepted {
            case EAGAIN:
                isReadable = false
                return nil
            case EINTR, ECONNABORTED:
                continue
            default:
                throw SystemError(code: -accepted, call: "accept")
            }
        }
    }

    /// Appends what has arrived to the buffer, which must have room.
    ///
    /// - Throws: when the connection broke.
    package func receive(into buffer: ByteBuffer) throws(SystemError) -> Received {
        guard isReadable else { return .wouldBlock }
        let room = buffer.room
        precondition(room > 0, "receive without room")
        while true {
            let count = unsafe network.receive(descriptor, into: buffer.writable)
            if count > 0 {
                buffer.filled(count)
                // Less than asked for: drained, unless the end is known to follow.
                if count < room && !peerClosed { isReadable = false }
                return .bytes(count)
            }
            if count == 0 {
                peerClosed = true
                return .end
            }
            switch Int32(-count) {
            case EAGAIN:
                isReadable = false
                return .wouldBlock
            case EINTR:
                continue
            default:
                isBroken = true
                peerClosed = true
                throw SystemError(code: Int32(-count), call: "recv")
            }
        }
    }

    /// Sends what the kernel takes now of the slab's bytes from `start` up to `end`.
    ///
    /// Returns how many bytes went, 0 when it takes none now.
    /// - Throws: when the connection broke.
    package func send(
        _ buffer: ByteBuffer,
        from start: Int,
        to end: Int
    ) throws(SystemError) -> Int {
        guard isWritable, start < end else { return 0 }
        while true {
            let count = unsafe network.send(descriptor, from: buffer.memory(from: start, to: end))
            if count >= 0 {
                if count < end - start { isWritable = false }
                return count
            }
            switch Int32(-count) {
            case EAGAIN:
                isWritable = false
                return 0
            case EINTR:
                continue
            default:
                isBroken = true
                peerClosed = true
                throw SystemError(code: Int32(-count), call: "send")
            }
        }
    }

    /// Tells the peer that no more bytes follow (FIN); receiving goes on.
    package func shutdownWrite() {
        guard isOpen else { return }
        network.shutdownWrite(descriptor)
    }

    /// Closes; closing twice is harmless.
    package func close() {
        guard isOpen else { return }
        network.close(descriptor)
        forget()
    }

    /// Closes with a reset, so that a cut message cannot be taken for a whole one.
    package func reset() {
        guard isOpen else { return }
        network.reset(descriptor)
        forget()
    }

    private func forget() {
        descriptor = -1
        owner = nil
        context.release(slot)
    }
}
