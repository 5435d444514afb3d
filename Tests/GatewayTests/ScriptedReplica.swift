// A replica that does what a test says with each request, and remembers what it got.

import Simulation
import Transport

/// A request as a replica got it.
struct SeenRequest {
    var head: MessageHead
    var body: [UInt8] = []
    /// The head's bytes as they came, as text.
    var rawHead = ""
    /// The number of its connection, from 0.
    var connection: Int
    /// Whether all of it has come.
    var isWhole = false

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// What a replica does next.
enum Step {
    case send(String)
    case sendBytes([UInt8])
    case wait(Duration)
    /// Ends its direction.
    case finish
    case close
    case reset
    /// Takes no bytes from now on.
    case pause
    /// Takes bytes again.
    case resume
}

/// One replica of the world.
final class ScriptedReplica {
    let address: Address
    /// Every request whose head has come, in order.
    fileprivate(set) var requests: [SeenRequest] = []
    /// Connections that sent at least one byte.
    fileprivate(set) var connections = 0
    /// Connections on which requests came that are open.
    var openConnections: Int { links.count { !$0.isClosed && $0.number != nil } }
    /// Bytes that came after an upgrade.
    fileprivate(set) var tunnelled: [UInt8] = []
    /// How the far ends of those connections ended.
    fileprivate(set) var resets = 0
    fileprivate(set) var ends = 0
    /// What is done when a request is whole; the number counts from 0.
    var answer: (SeenRequest, Int) -> [Step] = { _, _ in [.send(ok("ok"))] }
    /// What is done when a head has come; nil: wait for the whole request.
    var answerToHead: (SeenRequest, Int) -> [Step]? = { _, _ in nil }
    fileprivate let world: SimulatedWorld
    private var links: [ReplicaLink] = []

    init(at address: Address, in world: SimulatedWorld) {
        self.address = address
        self.world = world
        listen()
    }

    func listen() {
        world.listen(at: address) { [weak self] peer in
            guard let self else { return }
            links.append(ReplicaLink(peer, of: self))
        }
    }

    /// Connections are refused from now on.
    func refuse() { world.stopListening(at: address) }

    /// Does steps on every open connection that has served.
    func act(_ steps: [Step]) {
        for link in links where link.number != nil && link.maySend { link.perform(steps[...]) }
    }

    /// An answer with a length.
    static func ok(_ body: String, _ fields: String = "", status: String = "200 OK") -> String {
        "HTTP/1.1 \(status)\n\(fields)Content-Length: \(body.utf8.count)\n\n" + body
    }
}

/// One connection to a scripted replica.
private final class ReplicaLink {
    private let peer: PeerSocket
    private unowned let replica: ScriptedReplica
    private var reader = MessageReader(readsResponses: false)
    private var raw: [UInt8] = []
    private var messageStart = 0
    private var isPaused = false
    private var isTunnel = false
    private var hasEnded = false
    private var isAnsweredAlready = false
    /// Its number among those that sent something.
    private(set) var number: Int?
    /// The request it is at work on.
    private var current: Int?

    init(_ peer: PeerSocket, of replica: ScriptedReplica) {
        self.peer = peer
        self.replica = replica
        peer.changed = { [weak self] _ in self?.look() }
    }

    var isClosed: Bool { peer.isClosed || hasEnded }
    var maySend: Bool { !peer.isClosed }

    private func look() {
        guard !isPaused, !peer.isClosed else { return }
        let bytes = peer.read()
        if !bytes.isEmpty && number == nil {
            number = replica.connections
            replica.connections += 1
        }
        if isTunnel {
            replica.tunnelled += bytes
        } else {
            raw += bytes
            reader.feed(bytes)
            while !isTunnel, let part = reader.next() { take(part) }
        }
        guard peer.atEnd, !hasEnded else { return }
        hasEnded = true
        if number != nil {
            if peer.isBroken { replica.resets += 1 } else { replica.ends += 1 }
        }
        if !isTunnel { peer.close() }
    }

    private func take(_ part: MessagePart) {
        switch part {
        case .head(let head):
            var request = SeenRequest(head: head, connection: number ?? 0)
            request.rawHead = takeRawHead()
            replica.requests.append(request)
            let index = replica.requests.count - 1
            current = index
            isAnsweredAlready = false
            if head.value("Upgrade") != nil {
                isTunnel = true
                replica.tunnelled += raw.suffix(reader.pendingBytes)
            }
            if let steps = replica.answerToHead(request, index) {
                isAnsweredAlready = true
                perform(steps[...])
            } else if isTunnel {
                perform(replica.answer(request, index)[...])
            }
        case .body(let bytes):
            if let current { replica.requests[current].body += bytes }
        case .end:
            messageStart = raw.count - reader.pendingBytes
            guard let current else { return }
            replica.requests[current].isWhole = true
            if !isAnsweredAlready && !isTunnel {
                perform(replica.answer(replica.requests[current], current)[...])
            }
        case .invalid(let why):
            replica.world.violate("\(replica.address) got no HTTP: \(why)")
        }
    }

    func perform(_ steps: ArraySlice<Step>) {
        guard let step = steps.first else { return }
        let rest = steps.dropFirst()
        switch step {
        case .send(let text): peer.write(text.wire.bytes)
        case .sendBytes(let bytes): peer.write(bytes)
        case .finish: peer.finish()
        case .close: peer.close()
        case .reset: peer.reset()
        case .pause: isPaused = true
        case .resume:
            isPaused = false
            look()
        case .wait(let duration):
            replica.world.after(duration) { [self] in perform(rest) }
            return
        }
        perform(rest)
    }

    private func takeRawHead() -> String {
        let rest = String(decoding: raw[messageStart...], as: UTF8.self)
        guard let end = rest.firstRange(of: "\r\n\r\n") else { return rest }
        return String(rest[..<end.lowerBound]).replacing("\r\n", with: "\n")
    }
}
