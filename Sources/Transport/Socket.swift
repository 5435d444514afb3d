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
    /// What secures the connection; nil: nothing does.
    private var tls: TLSSession?
    /// FIN follows the records that are still to be sent.
    private var endsAfterRecords = false
    /// Who is told when anything happens here; nil: nobody, the booleans tell later.
    package var owner: (any SocketOwner)?
    package private(set) var isReadable: Bool
    package private(set) var isWritable: Bool
    /// Whether the poller tells when there is room to send.
    ///
    /// Only once it was missed: a socket nearly always has room, and each report of that would
    /// wake somebody for nothing.
    private var watchesRoom: Bool
    /// The peer sends nothing more: FIN, or broken.
    package private(set) var peerClosed = false
    /// The connection is broken in both directions.
    package private(set) var isBroken = false

    /// Takes over an open descriptor and registers it.
    ///
    /// `isReadable`: whether a first call tries at once; if not, the poller tells what is there.
    /// - Throws: when the kernel refuses; the descriptor is closed then.
    package convenience init(
        _ descriptor: Int32,
        on context: LoopContext,
        isReadable: Bool = true
    ) throws(SystemError) {
        try self.init(descriptor, on: context, isReadable: isReadable, isConnecting: false)
    }

    private init(
        _ descriptor: Int32,
        on context: LoopContext,
        isReadable: Bool,
        isConnecting: Bool
    ) throws(SystemError) {
        self.isReadable = isReadable
        isWritable = !isConnecting
        watchesRoom = isConnecting
        self.context = context
        network = context.network
        self.descriptor = descriptor
        slot = context.nextSlot()
        let result = network.register(
            descriptor,
            token: context.token(of: slot),
            watchesRoom: isConnecting
        )
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
        return try Socket(descriptor, on: context, isReadable: false, isConnecting: true)
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
        // Room that was there all the time comes with the report of bytes that have been taken.
        if readiness == .writable && isWritable { return }
        if readiness.contains(.readable) { isReadable = true }
        if readiness.contains(.writable) { isWritable = true }
        if readiness.contains(.peerClosed) { peerClosed = true }
        if readiness.contains(.broken) {
            peerClosed = true
            isBroken = true
        }
        if let tls { tell(tls, readiness) }
        owner?.socketChanged()
    }

    /// Whether a started connection has ended its attempt; throws what it ended with.
    package func finishConnecting() throws(SystemError) -> Bool {
        guard isWritable else { return false }
        // Every failed attempt is reported as an error besides.
        guard isBroken else { return true }
        let result = network.connectionError(of: descriptor)
        guard result >= 0 else { throw SystemError(code: -result, call: "connect") }
        return true
    }

    /// How many connections wait at a listener; nil when that can only be learned by `accept`.
    ///
    /// To ask is much cheaper than to try in vain (0.5 against 4 µs).
    package var waiting: Int? {
        let count = network.waiting(at: descriptor)
        return count < 0 ? nil : count
    }

    /// Lets a listener keep back connections for a second that bring no bytes, or not any more.
    ///
    /// Where clients speak first this saves a wake-up and a look for each connection.
    package func keepBackSilent(_ isOn: Bool) {
        network.keepBackSilent(at: descriptor, isOn)
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
        assert(context.isOwnThread, "a task has left its loop")
        guard isReadable else { return .wouldBlock }
        let room = buffer.room
        precondition(room > 0, "receive without room")
        if let tls { return try receive(into: buffer, through: tls) }
        let received = try received { descriptor in
            unsafe network.receive(descriptor, into: buffer.writable)
        }
        if case .bytes(let count) = received {
            buffer.filled(count)
            // Less than asked for: drained, unless the end is known to follow.
            if count < room && !peerClosed { isReadable = false }
        }
        return received
    }

    /// What a receiving call brought, and what it says of the connection.
    @inline(__always)
    func received(_ call: (Int32) -> Int) throws(SystemError) -> Received {
        while true {
            let count = call(descriptor)
            if count > 0 { return .bytes(count) }
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
        assert(context.isOwnThread, "a task has left its loop")
        guard isWritable, start < end else { return 0 }
        if let tls { return try send(buffer, from: start, to: end, through: tls) }
        let count = try sent { descriptor in
            unsafe network.send(descriptor, from: buffer.memory(from: start, to: end))
        }
        if count < end - start { missRoom() }
        return count
    }

    /// The kernel has no room now; the poller is to tell when it has.
    private func missRoom() {
        isWritable = false
        watchForRoom()
    }

    /// Lets the poller tell of room to send, if there is none.
    private func watchForRoom() {
        guard !isWritable, !watchesRoom, isOpen else { return }
        watchesRoom = true
        if network.watchRoom(descriptor, token: context.token(of: slot)) < 0 { isBroken = true }
    }

    /// How much a sending call moved, and what it says of the connection.
    @inline(__always)
    func sent(_ call: (Int32) -> Int) throws(SystemError) -> Int {
        while true {
            let count = call(descriptor)
            if count >= 0 { return count }
            switch Int32(-count) {
            case EAGAIN:
                missRoom()
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

    // MARK: TLS

    /// Secures the connection as its server; `handshake` must complete before anything else.
    ///
    /// - Throws: when there is no memory for it.
    package func startTLS(as server: TLSServer) throws(TLSError) {
        try secure(as: .server(server))
    }

    /// Secures the connection as a client of a server that must prove to be `name`, a DNS name or
    /// an IP address; `handshake` must complete before anything else.
    ///
    /// `key` tells servers of one name apart when sessions are resumed.
    /// - Throws: when there is no memory for it, or the name is none.
    package func startTLS(
        with client: TLSClient,
        to name: String,
        key: String = ""
    ) throws(TLSError) {
        try secure(as: .client(client, name: name, key: key))
    }

    private func secure(as role: TLSRole) throws(TLSError) {
        tls = try TLSSession(
            role,
            of: descriptor,
            isDrained: !isReadable,
            peerClosed: peerClosed,
            on: context
        )
    }

    /// Goes on with the handshake; false when the peer's next bytes must be waited for.
    ///
    /// True at once on a connection without TLS.
    /// - Throws: why it failed; then the connection is of no use, unless the peer spoke plain HTTP.
    package func handshake() throws(TLSError) -> Bool {
        guard let tls else { return true }
        defer { watchForRoom() }
        return try tls.handshake(isReadable: &isReadable, isWritable: &isWritable)
    }

    /// Goes on without TLS, for a word in clear to a peer that speaks plain HTTP.
    package func abandonTLS() { tls = nil }

    /// The next bytes to be sent are the last ones: what TLS has to say at the end goes with them.
    package func endAfterNextSend() { tls?.endsWithWrite = true }

    /// Whether TLS secures the connection.
    package var isSecure: Bool { tls != nil }
    /// Whether the handshake resumed an earlier session.
    package var isResumed: Bool { tls?.isResumed ?? false }
    /// The protocol that the handshake agreed on (ALPN); empty when there is none.
    package var agreedProtocol: String { tls?.agreedProtocol ?? "" }
    /// What the peer's certificate says; nil when it showed none.
    package var tlsPeer: TLSPeer? { tls?.peer }

    /// Sends what waits for company, and looks whether what has arrived on an idle connection is
    /// data or an end: TLS sends tickets and other things by the way.
    package func settle() {
        guard let tls else { return }
        if isReadable { isReadable = tls.hasData(isWritable: &isWritable) }
        if tls.hasLeftover { tls.flush(&isWritable) }
        watchForRoom()
    }

    private func receive(
        into buffer: ByteBuffer,
        through tls: TLSSession
    ) throws(SystemError) -> Received {
        let count = unsafe tls.read(
            into: buffer.writable,
            isReadable: &isReadable,
            isWritable: &isWritable
        )
        watchForRoom()
        if let count {
            buffer.filled(count)
            return .bytes(count)
        }
        switch tls.end {
        case nil: return .wouldBlock
        case .clean:
            peerClosed = true
            return .end
        case .broken(let error):
            isBroken = true
            peerClosed = true
            throw error
        }
    }

    private func send(
        _ buffer: ByteBuffer,
        from start: Int,
        to end: Int,
        through tls: TLSSession
    ) throws(SystemError) -> Int {
        defer { watchForRoom() }
        do throws(SystemError) {
            return try unsafe tls.write(
                buffer.memory(from: start, to: end),
                isWritable: &isWritable
            )
        } catch {
            isBroken = true
            peerClosed = true
            throw error
        }
    }

    /// The kernel may have room again: what waits for it goes first.
    private func tell(_ tls: TLSSession, _ readiness: Readiness) {
        tls.peerClosed = peerClosed
        if readiness.contains(.readable) || peerClosed { tls.isDrained = false }
        guard isWritable, tls.isBlocked else { return }
        tls.flush(&isWritable)
        watchForRoom()
        if endsAfterRecords, !tls.hasLeftover {
            endsAfterRecords = false
            network.shutdownWrite(descriptor)
        }
    }

    /// Tells the peer that no more bytes follow (FIN); receiving goes on.
    package func shutdownWrite() {
        guard isOpen else { return }
        if let tls {
            tls.sayGoodbye(&isWritable)
            watchForRoom()
            endsAfterRecords = tls.hasLeftover
            if endsAfterRecords { return }
        }
        network.shutdownWrite(descriptor)
    }

    /// Closes; closing twice is harmless.
    package func close() {
        guard isOpen else { return }
        tls?.sayGoodbye(&isWritable)
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
        tls = nil
        owner = nil
        context.release(slot)
    }
}
