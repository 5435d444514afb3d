// The stand-in for Kubernetes' API as a peer of the simulated world, and the objects it serves.

import Simulation
import Transport

/// The stand-in behind an address of the world.
final class SimulatedAPI {
    static let address = Address(bytes: [10, 2, 0, 1], port: 6443)
    /// What a configuration says to use it.
    static let setting = #"kubernetes: { api: "http://10.2.0.1:6443" },"#
    /// Where the slices of the tests' Service live.
    static let slices = "/apis/discovery.k8s.io/v1/namespaces/sluice/endpointslices"

    let store = APIStandIn()
    /// Bytes of an answer that are sent at once, with a pause behind; nil: all.
    var bytesAtOnce: Int?
    /// Whether connections stay without an answer.
    var isSilent = false
    private let world: SimulatedWorld
    private var links: [Int: Link] = [:]
    private var given = 0

    init(in world: SimulatedWorld) {
        self.world = world
        store.send = { [weak self] in self?.links[$0]?.write($1) }
        store.end = { [weak self] number, isCut in
            if isCut { self?.links[number]?.peer.reset() } else { self?.links[number]?.finish() }
            self?.links[number] = nil
        }
        listen()
    }

    /// Takes connections again.
    func listen() {
        world.listen(at: Self.address) { [weak self] peer in
            guard let self else { return }
            given += 1
            links[given] = Link(peer, number: given, of: self)
        }
    }

    /// Refuses connections and cuts those there are.
    func vanish() {
        world.stopListening(at: Self.address)
        store.cutWatches()
    }

    /// Puts the first slice of the Service `model`.
    func putSlice(_ endpoints: [String]) { putSlice("model-1", endpoints) }

    /// Puts a slice of the Service `model`.
    func putSlice(
        _ name: String,
        _ endpoints: [String],
        type: String = "IPv4",
        ports: String = #"[{"name":"http","port":5000,"protocol":"TCP"}]"#
    ) {
        let list = endpoints.isEmpty ? "null" : "[\(endpoints.joined(separator: ","))]"
        store.put(
            "\(Self.slices)/\(name)",
            """
            {"metadata":{"labels":{"kubernetes.io/service-name":"model"}},
             "addressType":"\(type)","endpoints":\(list),"ports":\(ports)}
            """
        )
    }

    /// An endpoint that is ready.
    static func ready(_ number: Int) -> String { endpoint(number) }

    /// An endpoint at the address of a replica of the stage, from 0.
    static func endpoint(
        _ number: Int,
        _ conditions: String = #""ready":true,"serving":true,"terminating":false"#
    ) -> String {
        """
        {"addresses":["10.1.0.\(number + 1)"],"conditions":{\(conditions)},"zone":"eu-1a",
         "targetRef":{"kind":"Pod","namespace":"sluice","name":"p\(number)","uid":"u\(number)"}}
        """
    }

    private final class Link {
        let peer: PeerSocket
        private let number: Int
        private unowned let api: SimulatedAPI
        private var reader = MessageReader(readsResponses: false)
        private var head: MessageHead?
        private var body: [UInt8] = []
        private var unsent: [UInt8] = []
        private var isSending = false
        private var finishes = false

        init(_ peer: PeerSocket, number: Int, of api: SimulatedAPI) {
            self.peer = peer
            self.number = number
            self.api = api
            peer.changed = { [weak self] _ in self?.look() }
        }

        private func look() {
            reader.feed(peer.read())
            while let part = reader.next() {
                switch part {
                case .head(let head): self.head = head
                case .body(let bytes): body += bytes
                case .end: answer()
                case .invalid(let why): api.world.violate("the API got no HTTP: \(why)")
                }
            }
            guard peer.atEnd else { return }
            api.store.forget(number)
            api.links[number] = nil
            peer.close()
        }

        private func answer() {
            guard let head, !api.isSilent else { return }
            let token = head.value("Authorization").flatMap {
                $0.hasPrefix("Bearer ") ? String($0.dropFirst(7)) : nil
            }
            let target = head.startLine.split(separator: " ").dropFirst().first ?? ""
            let answer = api.store.answer(
                head.method,
                String(target),
                token: token,
                body: body,
                on: number
            )
            write(answer.bytes)
            guard let seconds = answer.watchSeconds else { return finish() }
            let (store, number) = (api.store, number)
            api.world.after(.seconds(seconds)) { store.endWatch(number) }
        }

        func write(_ bytes: [UInt8]) {
            unsent += bytes
            push()
        }

        func finish() {
            finishes = true
            push()
        }

        private func push() {
            guard !isSending else { return }
            let count = min(unsent.count, api.bytesAtOnce ?? unsent.count)
            peer.write(Array(unsent.prefix(count)))
            unsent.removeFirst(count)
            if unsent.isEmpty {
                if finishes { peer.close() }
                return
            }
            isSending = true
            api.world.after(.milliseconds(1)) { [self] in
                isSending = false
                push()
            }
        }
    }
}
