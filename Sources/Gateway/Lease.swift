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

    init(id: ReplicaID, key: Int, address: Address, name: String, metrics: ReplicaMetrics) {
        self.id = id
        self.key = key
        self.address = address
        self.name = name
        label = Array(name.utf8)
        host = Transport.Address.split(name)?.host ?? address.host
        self.metrics = metrics
    }

    /// Whether a complaint about it may be logged now; the next one only ten seconds later.
    func mayComplain(at now: Instant) -> Bool {
        let due = complainsAt.load(ordering: .relaxed)
        guard now.nanoseconds >= due else { return false }
        let next = (now + .seconds(10)).nanoseconds
        return complainsAt.compareExchange(expected: due, desired: next, ordering: .relaxed)
            .exchanged
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
    private let lane: Lane
    private var verdict = Verdict.abandoned

    init(_ ticket: LeaseTicket, of endpoint: Endpoint, in pool: Pool, on lane: Lane) {
        self.ticket = ticket
        self.endpoint = endpoint
        self.pool = pool
        self.lane = lane
    }

    /// Says how the attempt went, and gives the slot back.
    consuming func end(_ verdict: Verdict) {
        self.verdict = verdict
    }

    deinit {
        let now = lane.now
        endpoint.metrics.attempted(verdict.attemptResult, stripe: lane.index)
        pool.metrics.spent(now - Instant(ticket.startedAt), .total, stripe: lane.index)
        pool.end(ticket, verdict, now: now)
    }
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
            }
        }
    }
}
