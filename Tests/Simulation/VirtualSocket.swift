// One end of a virtual TCP connection, or a listener, as the virtual kernel keeps it.

import Glibc
import Transport

/// One direction of a connection: what was sent, what travels, what has arrived.
///
/// The first `flying` bytes of `outbox` are on their way; the rest waits for room at the far end.
final class Pipe {
    let source: Int32
    let sink: Int32
    let sendLimit: Int
    let window: Int
    var outbox = ByteQueue()
    var flying = 0
    var arrived = ByteQueue()
    /// When the latest segment arrives; nothing overtakes it.
    var lastArrival: Int64 = 0
    /// The sender will send nothing more.
    var isFinishing = false
    var finishSent = false
    var finishArrived = false
    /// Broken: what travels is lost.
    var isCut = false

    init(from source: Int32, to sink: Int32, sendLimit: Int, window: Int) {
        self.source = source
        self.sink = sink
        self.sendLimit = sendLimit
        self.window = window
    }

    /// Bytes the sender may still hand over.
    var room: Int { max(0, sendLimit - outbox.count) }
    /// Linux calls a socket writable when a third of its buffer is free.
    var isWritable: Bool { room * 3 >= sendLimit }
    var waiting: Int { outbox.count - flying }
}

/// What a descriptor stands for in the virtual kernel.
final class VirtualSocket {
    enum State { case listening, connecting, open, failed }
    /// Who is told of changes.
    enum Owner {
        case nobody
        case loop(SimulatedNetwork, token: UInt64)
        case actor(PeerSocket)
    }

    let descriptor: Int32
    var state: State
    var owner = Owner.nobody
    var local: Address
    var remote: Address?
    var incoming: Pipe?
    var outgoing: Pipe?
    /// The errno that the next call reports.
    var pendingError: Int32 = 0
    /// A reset arrived, or the attempt failed: both directions are dead.
    var isBroken = false
    /// The owner has closed it; what is left in `outgoing` still travels.
    var isClosed = false
    /// The owner closed with a reset.
    var isReset = false
    /// An edge is owed once there is room.
    var wantsWritable = false
    /// Whether its loop wants to hear of room to send.
    var watchesRoom = false
    /// Listed as ready at its network.
    var isListed = false
    /// Which network opened it; nil: an actor of the world.
    weak var network: SimulatedNetwork?
    /// A listener's connections that wait to be accepted.
    var backlog: [Int32] = []
    var backlogLimit = 0
    /// A listener of an actor: called with each new connection.
    var welcome: ((PeerSocket) -> Void)?

    init(descriptor: Int32, state: State, local: Address) {
        self.descriptor = descriptor
        self.state = state
        self.local = local
    }

    /// Whether it is registered with no loop and no actor.
    var isUnowned: Bool { if case .nobody = owner { true } else { false } }

    /// What epoll would report now.
    func readiness() -> Readiness {
        switch state {
        case .listening: return backlog.isEmpty ? [] : .readable
        case .connecting: return []
        case .failed: return [.readable, .writable, .broken, .peerClosed]
        case .open: break
        }
        if isBroken { return [.readable, .writable, .broken, .peerClosed] }
        guard let incoming, let outgoing else { return [] }
        var readiness = Readiness()
        if !incoming.arrived.isEmpty { readiness.insert(.readable) }
        if incoming.finishArrived { readiness.formUnion([.readable, .peerClosed]) }
        if !watchesRoom {
            // epoll was not asked.
        } else if outgoing.isFinishing || outgoing.isWritable {
            readiness.insert(.writable)
        } else {
            wantsWritable = true
        }
        // EPOLLHUP: shut in both directions.
        if incoming.finishArrived && outgoing.isFinishing {
            readiness.formUnion([.readable, .writable, .broken])
        }
        return readiness
    }
}
