// One loop's share of the gateway: what its exchanges use without a lock.

internal import HTTPWire
internal import Telemetry
internal import Transport

/// One loop's own connections, tables and scratch memory.
///
/// Confined to its loop.
final class Lane {
    let gateway: Gateway
    let loop: Loop
    let context: LoopContext
    let upstreams: Upstreams
    let watch: SilenceWatch
    /// Lent to every parser; read before the next suspension.
    var fields: FieldTable
    /// Where heads are written before they are laid into a buffer.
    var scratch: HeadScratch
    /// What bytes are received into that nobody wants; its contents mean nothing.
    let bin = ByteBuffer.outsidePools()
    /// Client connections open on this loop.
    let clients = ClientRegistry()
    /// Where connections to TLS listeners wait for their turn to shake hands.
    let handshakes = HandshakeGate()
    var date = HTTPDate()
    var ids: IdentifierSource
    var logLine = AccessLogLine()
    /// What `/explain` can still tell about.
    var recent: RecentExchanges
    /// Where `watchResting` waits, and until when.
    let restingWatch: Parking
    var restingDeadline: Instant?
    private var spareExchanges: [Exchange] = []
    private var acceptors: [Parking] = []
    private var held: Snapshot

    init(gateway: Gateway, loop: Loop, context: LoopContext) {
        self.gateway = gateway
        self.loop = loop
        self.context = context
        held = gateway.snapshot
        upstreams = Upstreams(context: context)
        restingWatch = Parking(on: context)
        watch = SilenceWatch(context: context)
        fields = FieldTable(capacity: held.settings.limits.fieldsMax)
        scratch = HeadScratch(capacity: held.settings.limits.headBytesMax + 8 * 1024)
        ids = IdentifierSource(seed: context.network.random())
        recent = RecentExchanges(loops: gateway.loops.count)
    }

    /// The lane of a loop; there is one from the gateway's start on.
    static func of(_ context: LoopContext) -> Lane {
        guard let lane = context.attachment as? Lane else {
            preconditionFailure("loop \(context.index) has no lane")
        }
        return lane
    }

    func addAcceptor(_ parking: Parking) { acceptors.append(parking) }
    func wakeAcceptors() { for parking in acceptors { parking.unpark() } }

    var now: Instant { context.now }
    var index: Int { context.index }

    /// The configuration in force; looked up again only after a reload.
    var snapshot: Snapshot {
        if held.generation != gateway.generation { held = gateway.snapshot }
        return held
    }

    /// An exchange for a request that begins; the most recently used first.
    func takeExchange(for client: ClientConnection) -> Exchange {
        guard let exchange = spareExchanges.popLast() else {
            return Exchange(client: client, lane: self)
        }
        exchange.client = client
        return exchange
    }

    /// Takes back an exchange that nobody uses any more.
    func giveBack(_ exchange: Exchange) {
        guard spareExchanges.count < Lane.spareMax else { return }
        exchange.reset()
        spareExchanges.append(exchange)
    }

    private static let spareMax = 64

    /// The value for `Date` (RFC 9110 §6.6.1).
    func writeDate(into writer: inout ByteWriter) {
        date.write(wallNanoseconds: context.network.wallNanoseconds, into: &writer)
    }
}

/// The open client connections of one loop, so that a drain can reach them.
final class ClientRegistry {
    /// What a connection is at the moment.
    private enum State {
        case served(ClientConnection)
        case resting(RestingClient)
        /// On its way from one to the other.
        case moving
        case free
    }

    /// By number; a table without hashing, since each short connection is looked up six times.
    private var states: [State] = []
    private var free: [Int] = []

    var count: Int { states.count - free.count }

    /// Every connection that a task serves, by number.
    var all: some Sequence<ClientConnection> {
        states.lazy.compactMap { if case .served(let client) = $0 { client } else { nil } }
    }

    /// A task serves the connection now.
    func add(_ client: ClientConnection, _ number: Int) { states[number] = .served(client) }

    /// The connection is closed, or will come back under another number.
    func remove(_ number: Int) {
        states[number] = .free
        free.append(number)
    }

    func addResting(_ make: (Int) -> RestingClient) -> RestingClient {
        let number = free.popLast() ?? states.count
        let client = make(number)
        if number == states.count {
            states.append(.resting(client))
        } else {
            states[number] = .resting(client)
        }
        return client
    }

    /// Who rests under the number, for who is to serve it now; nil when nobody does any more.
    ///
    /// `add` or `remove` must follow.
    func takeResting(_ number: Int) -> RestingClient? {
        guard case .resting(let client) = states[number] else { return nil }
        states[number] = .moving
        return client
    }

    /// The connections that no task serves, by number.
    var allResting: [RestingClient] {
        states.compactMap { if case .resting(let client) = $0 { client } else { nil } }
    }

    /// Lets every client's task look at the gateway's state.
    func wakeAll() {
        for client in allResting { client.rouse() }
        for client in all { client.parking.unpark() }
    }
}
