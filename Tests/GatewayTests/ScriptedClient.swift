// A client that sends what it is told and understands what comes back by itself.

import Simulation
import Transport

/// A final answer as a client got it.
struct ClientAnswer {
    var head: MessageHead
    var body: [UInt8] = []
    /// The head's bytes as they came, as text.
    var rawHead = ""

    var status: Int { head.status }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// What the gateway gives as its reason, if the answer is its own.
    var reason: String? { head.value("X-Sluice-Reason") }
}

/// One connection to the gateway.
final class ScriptedClient {
    private(set) var raw: [UInt8] = []
    /// Answers that are whole.
    private(set) var answers: [ClientAnswer] = []
    /// Heads of interim answers.
    private(set) var interim: [MessageHead] = []
    /// The answer that has begun and is not whole.
    private(set) var partial: ClientAnswer?
    /// The far end has ended its direction, or broken the connection.
    private(set) var hasEnded = false
    private(set) var wasReset = false
    private(set) var isConnected = false
    /// What came is no HTTP.
    private(set) var nonsense: String?
    /// Takes nothing while true.
    var isPaused = false { didSet { if !isPaused { look() } } }
    private var reader = MessageReader(readsResponses: true)
    private var messageStart = 0
    private var peer: PeerSocket?

    init(from local: Address, to address: Address, in world: SimulatedWorld) {
        peer = world.connect(from: local, to: address) { [weak self] _ in self?.look() }
    }

    /// Sends text; its line ends become those of the wire.
    func send(_ text: String) {
        if let method = text.split(separator: " ").first, text.contains(" HTTP/1.") {
            reader.expectedMethods.append(String(method))
        }
        peer?.write(text.wire.bytes)
    }

    func send(_ bytes: [UInt8]) { peer?.write(bytes) }

    /// Announces that a request with this method is sent byte by byte.
    func expectAnswer(to method: String) { reader.expectedMethods.append(method) }

    /// Sends nothing more.
    func finish() { peer?.finish() }
    func close() { peer?.close() }
    func reset() { peer?.reset() }
    var text: String { String(decoding: raw, as: UTF8.self) }
    /// Bytes that the gateway has not taken.
    var undeliveredBytes: Int { peer?.undeliveredBytes ?? 0 }

    private func look() {
        guard let peer, !isPaused else { return }
        if !peer.isConnecting && !peer.isRefused { isConnected = true }
        let bytes = peer.read()
        raw += bytes
        reader.feed(bytes)
        while let part = reader.next() { take(part) }
        if peer.atEnd && !hasEnded {
            hasEnded = true
            if peer.isBroken {
                wasReset = true
            } else if reader.endOfStream() != nil {
                complete()
            }
        }
    }

    private func take(_ part: MessagePart) {
        switch part {
        case .head(let head):
            let answer = ClientAnswer(head: head, rawHead: takeRawHead())
            if head.status < 200 && head.status != 101 {
                interim.append(head)
            } else {
                partial = answer
            }
        case .body(let bytes): partial?.body += bytes
        case .end: complete()
        case .invalid(let why): nonsense = why
        }
    }

    private func complete() {
        if let partial { answers.append(partial) }
        partial = nil
        messageStart = raw.count - reader.pendingBytes
    }

    private func takeRawHead() -> String {
        let rest = String(decoding: raw[messageStart...], as: UTF8.self)
        guard let end = rest.firstRange(of: "\r\n\r\n") else { return rest }
        let head = String(rest[..<end.lowerBound])
        messageStart += head.utf8.count + 4
        return head.replacing("\r\n", with: "\n")
    }
}
