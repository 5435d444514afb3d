// The virtual kernel: TCP without loss, with delays, segments, buffers, FIN and RST.
//
// Its rules are Linux's where a program can tell the difference: a close with unread bytes resets,
// bytes for a closed socket are answered with a reset, bytes that arrived before a reset can still
// be read, a short send owes an edge.

import Glibc
import Transport

/// The tables of the virtual kernel.
struct VirtualKernel {
    var sockets: [Int32: VirtualSocket] = [:]
    /// Listeners by address; several share one address, one per loop.
    var listeners: [Address: [Int32]] = [:]
    /// Addresses that never answer.
    var blackHoles: Set<Address> = []
    var networks: [SimulatedNetwork] = []
    /// Descriptors are never used again, so that every use after a close is noticed.
    var nextDescriptor: Int32 = 3
    var nextPort: UInt16 = 10_000
    /// Connections that loops hold open.
    var openByLoops = 0
}

extension SimulatedWorld {
    func socket(_ descriptor: Int32) -> VirtualSocket? { kernel.sockets[descriptor] }

    /// Whether a loop may open one more descriptor.
    var hasDescriptor: Bool { kernel.openByLoops < conditions.descriptorLimit }

    /// Connections that the loops hold open, listeners not counted.
    package var openConnections: Int { kernel.openByLoops }

    /// Listeners and connections that loops hold open.
    package var openDescriptors: Int {
        kernel.sockets.values.count { $0.network != nil && !$0.isClosed }
    }

    func countOpened() { kernel.openByLoops += 1 }
    func countClosed() { kernel.openByLoops -= 1 }

    func freePort() -> UInt16 {
        kernel.nextPort = kernel.nextPort == .max ? 10_000 : kernel.nextPort + 1
        return kernel.nextPort
    }

    private func makeSocket(_ state: VirtualSocket.State, local: Address) -> VirtualSocket {
        let socket = VirtualSocket(
            descriptor: kernel.nextDescriptor,
            state: state,
            local: local
        )
        kernel.nextDescriptor += 1
        kernel.sockets[socket.descriptor] = socket
        return socket
    }

    // MARK: Listeners

    func openListener(at address: Address, backlog: Int, shared: Bool) -> Int32 {
        var address = address
        if address.port == 0 { address = Address(bytes: address.bytes, port: freePort()) }
        guard shared || kernel.listeners[address, default: []].isEmpty else { return -EADDRINUSE }
        let socket = makeSocket(.listening, local: address)
        socket.backlogLimit = max(1, backlog)
        kernel.listeners[address, default: []].append(socket.descriptor)
        return socket.descriptor
    }

    /// An actor listens: `welcome` is called with each new connection.
    package func listen(at address: Address, welcome: @escaping (PeerSocket) -> Void) {
        let descriptor = openListener(at: address, backlog: 4_096, shared: false)
        precondition(descriptor >= 0, "\(address) is taken")
        kernel.sockets[descriptor]?.welcome = welcome
    }

    /// An actor listens no more: connection attempts are refused.
    package func stopListening(at address: Address) {
        for descriptor in kernel.listeners[address] ?? [] {
            guard let socket = socket(descriptor), socket.welcome != nil else { continue }
            close(socket)
        }
    }

    /// Whether anybody listens at an address.
    package func isListening(at address: Address) -> Bool {
        !listeners(for: address).isEmpty
    }

    /// Connection attempts to an address get no answer at all, or do again.
    package func swallow(_ address: Address, _ isSwallowed: Bool = true) {
        if isSwallowed {
            kernel.blackHoles.insert(address)
        } else {
            kernel.blackHoles.remove(address)
        }
    }

    // MARK: Connecting

    func startConnection(from local: Address, to address: Address) -> VirtualSocket {
        let socket = makeSocket(.connecting, local: local)
        socket.remote = address
        add(.knock(socket, address, tries: 0), at: nanoseconds + latency())
        return socket
    }

    /// An actor connects; `changed` tells how it went.
    package func connect(
        from local: Address,
        to address: Address,
        changed: @escaping (PeerSocket) -> Void
    ) -> PeerSocket {
        let socket = startConnection(from: local, to: address)
        let peer = PeerSocket(socket, in: self)
        peer.changed = changed
        socket.owner = .actor(peer)
        return peer
    }

    /// A connection attempt reaches its address.
    func knock(_ socket: VirtualSocket, at address: Address, tries: Int) {
        guard !socket.isClosed else { return }
        if kernel.blackHoles.contains(address) { return again(socket, address, tries) }
        let listeners = listeners(for: address)
        guard !listeners.isEmpty else {
            add(.settled(socket, ECONNREFUSED), at: nanoseconds + latency())
            return
        }
        guard let listener = self.socket(wire.pick(listeners)) else { return }
        // A full backlog drops the attempt, and the far kernel tries again.
        guard listener.backlog.count < listener.backlogLimit else {
            return again(socket, address, tries)
        }
        let accepted = makeSocket(.open, local: address)
        accepted.remote = socket.local
        join(socket, accepted)
        // Nothing that the accepting side sends overtakes its consent.
        if let back = accepted.outgoing { add(.settled(socket, 0), at: nextArrival(in: back)) }
        note(.established, Int64(socket.descriptor), Int64(accepted.descriptor))
        if let welcome = listener.welcome {
            let peer = PeerSocket(accepted, in: self)
            accepted.owner = .actor(peer)
            welcome(peer)
        } else {
            listener.backlog.append(accepted.descriptor)
            announce(listener)
        }
    }

    /// Who listens at an address, or at its port on every address.
    private func listeners(for address: Address) -> [Int32] {
        if let exact = kernel.listeners[address] { return exact }
        let every = Address(bytes: address.bytes.map { _ in 0 }, port: address.port)
        return kernel.listeners[every] ?? []
    }

    /// The kernel of the connecting side repeats after 1, 2, 4 … seconds, six times.
    private func again(_ socket: VirtualSocket, _ address: Address, _ tries: Int) {
        guard tries < 6 else { return settle(socket, error: ETIMEDOUT) }
        let pause = Duration.seconds(1 << tries).nanoseconds
        add(.knock(socket, address, tries: tries + 1), at: nanoseconds + pause)
    }

    private func join(_ one: VirtualSocket, _ other: VirtualSocket) {
        let there = makePipe(from: one, to: other)
        let back = makePipe(from: other, to: one)
        one.outgoing = there
        other.incoming = there
        other.outgoing = back
        one.incoming = back
    }

    private func makePipe(from source: VirtualSocket, to sink: VirtualSocket) -> Pipe {
        Pipe(
            from: source.descriptor,
            to: sink.descriptor,
            sendLimit: wire.number(in: conditions.sendBufferBytes),
            window: wire.number(in: conditions.receiveBufferBytes)
        )
    }

    func settle(_ socket: VirtualSocket, error: Int32) {
        // A reset may have come before; a closed socket hears nothing.
        guard socket.state == .connecting, !socket.isClosed else { return }
        if error == 0 {
            socket.state = .open
        } else {
            socket.state = .failed
            socket.pendingError = error
            socket.isBroken = true
        }
        announce(socket)
    }

    // MARK: Bytes

    func latency() -> Int64 { wire.duration(in: conditions.latency).nanoseconds }

    func receive(_ socket: VirtualSocket, into memory: UnsafeMutableRawBufferPointer) -> Int {
        if socket.state == .connecting { return -Int(EAGAIN) }
        if let pipe = socket.incoming, !pipe.arrived.isEmpty {
            let count = pipe.arrived.take(into: memory)
            pump(pipe)
            return count
        }
        if socket.incoming?.finishArrived == true { return 0 }
        if socket.pendingError != 0 {
            defer { socket.pendingError = 0 }
            return -Int(socket.pendingError)
        }
        if socket.isBroken { return 0 }
        return -Int(EAGAIN)
    }

    func send(_ socket: VirtualSocket, from memory: UnsafeRawBufferPointer) -> Int {
        if socket.state == .connecting { return -Int(EAGAIN) }
        if socket.pendingError != 0 {
            defer { socket.pendingError = 0 }
            return -Int(socket.pendingError)
        }
        guard let pipe = socket.outgoing, !socket.isBroken, !pipe.isFinishing else {
            return -Int(EPIPE)
        }
        let count = min(memory.count, pipe.room)
        guard count > 0 || memory.isEmpty else {
            socket.wantsWritable = true
            return -Int(EAGAIN)
        }
        pipe.outbox.append(UnsafeRawBufferPointer(rebasing: memory[..<count]))
        pump(pipe)
        return count
    }

    /// A send took less than was offered: an edge must follow, even if there is room.
    func oweWritable(_ socket: VirtualSocket) {
        socket.wantsWritable = true
        add(.poke(socket), at: nanoseconds + latency())
    }

    func poke(_ socket: VirtualSocket) {
        guard socket.wantsWritable, socket.outgoing?.isWritable == true else { return }
        announce(socket)
    }

    func roomToSend(of socket: VirtualSocket) -> Int { socket.outgoing?.room ?? 0 }

    func put(_ bytes: [UInt8], into socket: VirtualSocket) {
        guard let pipe = socket.outgoing else { return }
        pipe.outbox.append(bytes)
        pump(pipe)
    }

    func take(_ count: Int, from socket: VirtualSocket) -> [UInt8] {
        guard let pipe = socket.incoming else { return [] }
        let bytes = pipe.arrived.take(count)
        if !bytes.isEmpty { pump(pipe) }
        return bytes
    }

    /// Puts on the wire what the window allows.
    private func pump(_ pipe: Pipe) {
        guard !pipe.isCut else { return }
        while pipe.waiting > 0 {
            let allowed = min(pipe.waiting, pipe.window - pipe.flying - pipe.arrived.count)
            guard allowed > 0 else { return }
            var count = min(allowed, conditions.segmentBytesMax)
            if wire.chance(conditions.tinySegments) { count = min(count, wire.number(in: 1...8)) }
            pipe.flying += count
            add(.segment(pipe, count), at: nextArrival(in: pipe))
        }
        guard pipe.isFinishing, !pipe.finishSent else { return }
        pipe.finishSent = true
        add(.finish(pipe), at: nextArrival(in: pipe))
    }

    private func nextArrival(in pipe: Pipe) -> Int64 {
        pipe.lastArrival = max(pipe.lastArrival, nanoseconds + latency())
        return pipe.lastArrival
    }

    func arrive(_ count: Int, through pipe: Pipe) {
        guard !pipe.isCut, let sink = socket(pipe.sink) else { return }
        let bytes = pipe.outbox.take(count)
        pipe.flying -= count
        note(.segment, Int64(pipe.sink), Int64(count))
        if sink.isClosed {
            // Bytes for a closed socket are answered with a reset.
            cutBack(against: sink, pipe)
            return
        }
        pipe.arrived.append(bytes)
        announce(sink)
        pump(pipe)
        if let source = socket(pipe.source), source.wantsWritable, pipe.isWritable {
            announce(source)
        }
    }

    private func cutBack(against sink: VirtualSocket, _ pipe: Pipe) {
        pipe.isCut = true
        guard let back = sink.outgoing, !back.isCut else { return }
        add(.cut(back), at: nextArrival(in: back))
    }

    func arriveFinish(through pipe: Pipe) {
        guard !pipe.isCut else { return }
        pipe.finishArrived = true
        note(.finish, Int64(pipe.sink))
        guard let sink = socket(pipe.sink) else { return }
        if sink.isClosed { bury(sink) } else { announce(sink) }
        if let source = socket(pipe.source) { bury(source) }
    }

    func arriveCut(through pipe: Pipe) {
        guard !pipe.isCut else { return }
        pipe.isCut = true
        note(.cut, Int64(pipe.sink))
        guard let sink = socket(pipe.sink) else { return }
        sink.outgoing?.isCut = true
        sink.outgoing?.outbox.removeAll()
        sink.isBroken = true
        sink.state = .open
        // A peer that had ended its stream before leaves a broken pipe.
        sink.pendingError = pipe.finishArrived ? EPIPE : ECONNRESET
        if sink.isClosed { bury(sink) } else { announce(sink) }
        if let source = socket(pipe.source) { bury(source) }
    }

    // MARK: Ending

    /// Sends FIN behind what is left to send.
    func finish(_ socket: VirtualSocket) {
        guard let pipe = socket.outgoing, !pipe.isFinishing else { return }
        pipe.isFinishing = true
        pump(pipe)
        // Both directions shut now: epoll reports that.
        if socket.incoming?.finishArrived == true { announce(socket) }
    }

    func close(_ socket: VirtualSocket) {
        guard !socket.isClosed else { return }
        if socket.state == .listening { return closeListener(socket) }
        if let pipe = socket.incoming, !pipe.arrived.isEmpty { return reset(socket) }
        socket.isClosed = true
        socket.owner = .nobody
        finish(socket)
        bury(socket)
    }

    func reset(_ socket: VirtualSocket) {
        guard !socket.isClosed else { return }
        socket.isClosed = true
        socket.isReset = true
        socket.owner = .nobody
        if let pipe = socket.outgoing, !pipe.isCut {
            add(.cut(pipe), at: nextArrival(in: pipe))
        }
        socket.incoming?.isCut = true
        bury(socket)
    }

    private func closeListener(_ listener: VirtualSocket) {
        listener.isClosed = true
        kernel.listeners[listener.local]?.removeAll { $0 == listener.descriptor }
        if kernel.listeners[listener.local]?.isEmpty == true {
            kernel.listeners[listener.local] = nil
        }
        // What was never accepted is reset.
        for descriptor in listener.backlog {
            if let waiting = socket(descriptor) { reset(waiting) }
        }
        kernel.sockets[listener.descriptor] = nil
    }

    /// Forgets a closed socket once nothing of it travels any more.
    private func bury(_ socket: VirtualSocket) {
        guard socket.isClosed else { return }
        let hasSent = socket.outgoing.map { $0.isCut || $0.finishArrived } ?? true
        let hasReceived = socket.incoming.map { $0.isCut || $0.finishArrived } ?? true
        guard socket.isReset || (hasSent && hasReceived) else { return }
        kernel.sockets[socket.descriptor] = nil
    }

    /// Whether the owner of the other end still holds it.
    func farSideIsOpen(of socket: VirtualSocket) -> Bool {
        guard let pipe = socket.outgoing, let far = self.socket(pipe.sink) else { return false }
        return !far.isClosed && !socket.isBroken
    }

    /// Tells a socket's owner that something happened.
    private func announce(_ socket: VirtualSocket) {
        if socket.outgoing?.isWritable == true { socket.wantsWritable = false }
        switch socket.owner {
        case .nobody: break
        case .actor(let peer): peer.happened()
        case .loop(let network, _):
            network.list(socket)
            rouse(network)
        }
    }
}
