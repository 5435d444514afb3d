// The right to one slot of one replica, given back exactly once.

internal import Balancing
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
    let metrics: ReplicaMetrics

    init(id: ReplicaID, key: Int, address: Address, name: String, metrics: ReplicaMetrics) {
        self.id = id
        self.key = key
        self.address = address
        self.name = name
        label = Array(name.utf8)
        self.metrics = metrics
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
