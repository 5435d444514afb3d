// The right to one slot of one replica, given back exactly once.

internal import Balancing
internal import Synchronization
internal import Telemetry
internal import Transport

/// A replica as the request path sees it: where it listens and what it is called.
///
/// A replica whose name now means another address gets a new endpoint with a new key, so that no
/// kept connection to the old one is used again.
final class Endpoint: Sendable {
    let id: ReplicaID
    /// Unique in the process; names the kept connections.
    let key: Int
    let address: Address
    /// The endpoint as its source wrote it.
    let name: String
    let label: [UInt8]
    /// The name or address in `name`, without its port.
    let host: String
    let metrics: ReplicaMetrics
    /// When it may be complained of again, in nanoseconds.
    private let complainsAt = Atomic<Int64>(.min)
    /// The silence after which its pool may give up an attempt.
    let patience: SharedPatience
    /// When a byte of it came last, on any loop, as far as `heard` says.
    private let heardAt = Atomic<Int64>(.min)
    /// Whether the pool wants to know at once that a byte came.
    let isInDoubt = Atomic<Bool>(false)

    init(
        id: ReplicaID,
        key: Int,
        address: Address,
        name: String,
        metrics: ReplicaMetrics,
        patience: SharedPatience
    ) {
        self.id = id
        self.key = key
        self.address = address
        self.name = name
        label = Array(name.utf8)
        host = Transport.Address.split(name)?.host ?? address.host
        self.metrics = metrics
        self.patience = patience
    }

    /// Notes that a byte came; to the millisecond, so that loops seldom share a cache line for it.
    func heard(at now: Instant) {
        guard now.nanoseconds - 1_000_000 > heardAt.load(ordering: .relaxed) else { return }
        heardAt.store(now.nanoseconds, ordering: .relaxed)
    }

    /// When a byte of it came last; the beginning of time before the first.
    var lastHeard: Instant { Instant(nanoseconds: heardAt.load(ordering: .relaxed)) }

    /// Whether a complaint about it may be logged now; the next one only ten seconds later.
    func mayComplain(at now: Instant) -> Bool {
        let due = complainsAt.load(ordering: .relaxed)
        guard now.nanoseconds >= due else { return false }
        let next = (now + .seconds(10)).nanoseconds
        return complainsAt.compareExchange(expected: due, desired: next, ordering: .relaxed)
            .exchanged
    }
}

/// The silence that is too long in a pool, as its loops read it without the pool's lock.
final class SharedPatience: Sendable {
    private static let never = Int64.max
    private let nanoseconds = Atomic<Int64>(never)

    /// The silence; `nil`: none is too long, or it is not known yet.
    var duration: Duration? {
        let value = nanoseconds.load(ordering: .relaxed)
        return value == SharedPatience.never ? nil : .nanoseconds(value)
    }

    /// Under the pool's lock.
    func set(_ value: Int64?) {
        nanoseconds.store(value ?? SharedPatience.never, ordering: .relaxed)
    }
}

/// A leased slot.
///
/// Giving up the value gives back the slot; `end` only says how it went.
///
/// Not ending it counts as abandoned: no leak, and no blame on the replica.
struct Lease: ~Copyable {
    let endpoint: Endpoint
    private let ticket: LeaseTicket
    private let pool: Pool
    private let exchange: Exchange
    private var verdict = Verdict.abandoned

    init(_ ticket: LeaseTicket, of endpoint: Endpoint, in pool: Pool, for exchange: Exchange) {
        self.ticket = ticket
        self.endpoint = endpoint
        self.pool = pool
        self.exchange = exchange
    }

    /// Says how the attempt went, and gives the slot back.
    consuming func end(_ verdict: Verdict) {
        self.verdict = verdict
    }

    deinit { pool.end(ticket, of: endpoint, verdict, for: exchange) }
}

extension Verdict {
    /// The same as a label of `sluice_upstream_attempts_total`.
    var attemptResult: AttemptResult {
        switch self {
        case .success: .success
        case .abandoned: .abandoned
        case .full: .full
        case .failure(let kind):
            switch kind {
            case .connectRefused, .connectTimeout: .connectFailed
            case .reset: .reset
            case .timeout: .timeout
            case .badStatus: .badStatus
            case .invalid: .invalid
            case .stalled: .stalled
            case .silent: .silent
            }
        }
    }
}
