// The world as one loop of the gateway sees it: the system calls, answered by the virtual kernel.

import Glibc
import Synchronization
import Transport

/// One loop's descriptors, readiness list and chance.
///
/// `@unchecked Sendable`: a world and all its loops live on the one thread that runs the world;
/// only `interrupt` may come from elsewhere, and it touches an atomic alone.
package final class SimulatedNetwork: Network, @unchecked Sendable {
    unowned let world: SimulatedWorld
    /// The network's number in its world, from 0.
    package let index: Int
    private var generator: SeededGenerator
    /// Descriptors with something to report, in order of their edges.
    private var ready: [Int32] = []
    private var callsInTurn = 0
    /// More calls than any honest turn makes.
    private static let callsInTurnMax = 1_000_000
    /// Events reported by the last poll.
    private(set) var delivered = 0
    /// Wakes from outside the world's thread: anything above 0 means that a run cannot be repeated.
    package let foreignWakes = Atomic<Int>(0)
    private let mail = Atomic<Bool>(false)
    /// Where the loops' own connections come from.
    private static let host: [UInt8] = [10, 0, 0, 1]

    init(world: SimulatedWorld, index: Int, generator: SeededGenerator) {
        self.world = world
        self.index = index
        self.generator = generator
    }

    var hasReady: Bool { !ready.isEmpty }

    package var monotonicNanoseconds: Int64 { world.nanoseconds }
    package var wallNanoseconds: Int64 { SimulatedWorld.wallStart + world.nanoseconds }

    package func random() -> UInt64 {
        let number = generator.next()
        world.note(.random, Int64(index))
        return number
    }

    package func interrupt() {
        foreignWakes.add(1, ordering: .relaxed)
        mail.store(true, ordering: .releasing)
    }

    /// Whether another thread left something for the loop since the last question.
    func takeInterrupt() -> Bool { mail.exchange(false, ordering: .acquiring) }

    /// Puts a socket on the list of those with something to report.
    func list(_ socket: VirtualSocket) {
        guard !socket.isListed else { return }
        socket.isListed = true
        ready.append(socket.descriptor)
    }

    package func poll(into events: inout [ReadyEvent], milliseconds: Int32) {
        delivered = 0
        callsInTurn = 0
        guard !ready.isEmpty else { return }
        ready.shuffle(using: &generator)
        var count = ready.count
        if count > 1, generator.chance(world.conditions.partialBatches) {
            count = generator.number(in: 1...count)
        }
        for descriptor in ready[..<count] {
            guard let socket = world.socket(descriptor) else { continue }
            socket.isListed = false
            let readiness = socket.readiness()
            guard !readiness.isEmpty, case .loop(_, let token) = socket.owner else { continue }
            events.append(ReadyEvent(token: token, readiness: readiness))
            world.note(.poll, Int64(descriptor), Int64(readiness.rawValue))
            delivered += 1
        }
        ready.removeFirst(count)
    }

    package func register(_ descriptor: Int32, token: UInt64, watchesRoom: Bool) -> Int32 {
        // Another loop may have accepted it and handed it over.
        if let socket = world.socket(descriptor), socket.network != nil, socket.isUnowned {
            socket.network = self
        }
        guard let socket = open(descriptor, "register") else { return -EBADF }
        socket.owner = .loop(self, token: token)
        socket.watchesRoom = watchesRoom
        world.note(.register, Int64(descriptor))
        if !socket.readiness().isEmpty { list(socket) }
        return 0
    }

    package func watchRoom(_ descriptor: Int32, token: UInt64) -> Int32 {
        guard let socket = open(descriptor, "watchRoom") else { return -EBADF }
        guard case .loop(let network, let known) = socket.owner, network === self, known == token
        else { return -ENOENT }
        socket.watchesRoom = true
        world.note(.register, Int64(descriptor))
        if !socket.readiness().isEmpty { list(socket) }
        return 0
    }

    /// Connections of this world are shown as soon as they stand.
    package func keepBackSilent(at listener: Int32, _ isOn: Bool) {}

    package func waiting(at listener: Int32) -> Int {
        open(listener, "waiting")?.backlog.count ?? -1
    }

    package func listen(at address: Address, backlog: Int32, shared: Bool) -> Int32 {
        let descriptor = world.openListener(at: address, backlog: Int(backlog), shared: shared)
        if descriptor >= 0 { world.socket(descriptor)?.network = self }
        world.note(.listen, Int64(descriptor))
        return descriptor
    }

    package func accept(from listener: Int32, peer: inout Address?) -> Int32 {
        guard let socket = open(listener, "accept"), socket.state == .listening else {
            return -EBADF
        }
        if isInterrupted() { return -EINTR }
        guard !socket.backlog.isEmpty else { return -EAGAIN }
        guard world.hasDescriptor else { return -EMFILE }
        let descriptor = socket.backlog.removeFirst()
        guard let accepted = world.socket(descriptor) else { return -ECONNABORTED }
        accepted.network = self
        world.countOpened()
        peer = accepted.remote
        world.note(.accept, Int64(descriptor), Int64(listener))
        return descriptor
    }

    package func connect(to address: Address) -> Int32 {
        guard world.hasDescriptor else { return -EMFILE }
        let local = Address(bytes: SimulatedNetwork.host, port: world.freePort())
        let socket = world.startConnection(from: local, to: address)
        socket.network = self
        world.countOpened()
        world.note(.connect, Int64(socket.descriptor), Int64(address.port))
        return socket.descriptor
    }

    package func connectionError(of descriptor: Int32) -> Int32 {
        guard let socket = open(descriptor, "connectionError") else { return -EBADF }
        defer { socket.pendingError = 0 }
        return -socket.pendingError
    }

    package func localAddress(of descriptor: Int32) -> Address? {
        open(descriptor, "localAddress")?.local
    }

    package func receive(_ descriptor: Int32, into memory: UnsafeMutableRawBufferPointer) -> Int {
        guard let socket = open(descriptor, "receive") else { return -Int(EBADF) }
        if isInterrupted() { return -Int(EINTR) }
        let count = world.receive(socket, into: memory)
        world.note(.receive, Int64(descriptor), Int64(count))
        return count
    }

    package func send(_ descriptor: Int32, from memory: UnsafeRawBufferPointer) -> Int {
        guard let socket = open(descriptor, "send") else { return -Int(EBADF) }
        if isInterrupted() { return -Int(EINTR) }
        var offered = memory
        if memory.count > 1, generator.chance(world.conditions.shortSends) {
            let count = generator.number(in: 1...memory.count - 1)
            offered = UnsafeRawBufferPointer(rebasing: memory[..<count])
        }
        let count = world.send(socket, from: offered)
        if count >= 0 && count < memory.count { world.oweWritable(socket) }
        world.note(.send, Int64(descriptor), Int64(count))
        return count
    }

    /// There are no pipes in this world: bytes go through buffers.
    package func openPipe() -> (Int32, Int32)? { nil }

    package func splice(from source: Int32, to target: Int32, atMost limit: Int) -> Int {
        Int(-EINVAL)
    }

    package func shutdownWrite(_ descriptor: Int32) {
        guard let socket = open(descriptor, "shutdownWrite") else { return }
        world.note(.shutdown, Int64(descriptor))
        world.finish(socket)
    }

    package func close(_ descriptor: Int32) {
        guard let socket = open(descriptor, "close") else { return }
        world.note(.close, Int64(descriptor))
        forget(socket)
        world.close(socket)
    }

    package func reset(_ descriptor: Int32) {
        guard let socket = open(descriptor, "reset") else { return }
        world.note(.reset, Int64(descriptor))
        forget(socket)
        world.reset(socket)
    }

    private func forget(_ socket: VirtualSocket) {
        if socket.isListed { ready.removeAll { $0 == socket.descriptor } }
        socket.isListed = false
        socket.owner = .nobody
        if socket.state != .listening { world.countClosed() }
    }

    /// The socket of a descriptor that this network has open; anything else is the caller's fault.
    private func open(_ descriptor: Int32, _ call: StaticString) -> VirtualSocket? {
        callsInTurn += 1
        precondition(
            callsInTurn < SimulatedNetwork.callsInTurnMax,
            "seed \(world.seed): a job of loop \(index) calls \(call) without end"
        )
        guard let socket = world.socket(descriptor), !socket.isClosed, socket.network === self
        else {
            world.violate("\(call) on descriptor \(descriptor), which loop \(index) does not have")
            return nil
        }
        return socket
    }

    private func isInterrupted() -> Bool {
        generator.chance(world.conditions.interruptedCalls)
    }
}
