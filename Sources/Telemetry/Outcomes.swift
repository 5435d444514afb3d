// The closed lists behind the remaining metric labels: how a wait ended, which phase was timed,
// what became of an attempt, a probe or a connection.

/// A closed list of label values: each case has a fixed place and a fixed spelling.
///
/// Raw values run from 0 without gaps; a counter cell is found by them.
package protocol MetricKey: CaseIterable, RawRepresentable<UInt8>, Sendable {
    /// The label value: lower-case ASCII words joined by `_`.
    var token: StaticString { get }
}

/// How a request's stay in a pool's queue ended: `sluice_queue_wait_seconds{outcome}`.
package enum QueueOutcome: UInt8, MetricKey {
    /// It got a lease, at once or after waiting.
    case leased
    /// It was refused on arrival, or its wait ended by a bound.
    case shed
    /// Its client left first.
    case clientGone

    /// The label value.
    package var token: StaticString {
        switch self {
        case .leased: "leased"
        case .shed: "shed"
        case .clientGone: "client_gone"
        }
    }
}

/// A timed part of an attempt at a replica: `sluice_upstream_seconds{phase}`.
package enum UpstreamPhase: UInt8, MetricKey {
    /// From the connect call to an established connection; not observed for reused ones.
    case connect
    /// From the lease to the first byte of the answer.
    case ttfb
    /// From the lease to the end of the answer.
    case total

    /// The label value.
    package var token: StaticString {
        switch self {
        case .connect: "connect"
        case .ttfb: "ttfb"
        case .total: "total"
        }
    }
}

/// What became of one attempt at a replica: `sluice_upstream_attempts_total{result}`.
package enum AttemptResult: UInt8, MetricKey {
    case success
    case connectFailed
    case reset
    case timeout
    case invalid
    case badStatus
    case stalled
    /// Silent for so long that the request went to another replica.
    case silent
    /// The replica itself said it has no room (429 or 503 with Retry-After).
    case full
    /// Nobody's failure: the client left, or the gateway gave the slot back unused.
    case abandoned

    /// The label value.
    package var token: StaticString {
        switch self {
        case .success: "success"
        case .connectFailed: "connect_failed"
        case .reset: "reset"
        case .timeout: "timeout"
        case .invalid: "invalid"
        case .badStatus: "bad_status"
        case .stalled: "stalled"
        case .silent: "silent"
        case .full: "full"
        case .abandoned: "abandoned"
        }
    }
}

/// Why a further attempt was made: `sluice_retries_total{cause}`.
package enum RetryCause: UInt8, MetricKey {
    case connectFailed
    /// A reused idle connection was closed by the replica before any byte of an answer.
    case staleConnection
    case reset
    case timeout
    /// A replica said nothing, on any connection, for longer than is usual in its pool.
    case silent
    case badStatus
    case full

    /// The label value.
    package var token: StaticString {
        switch self {
        case .connectFailed: "connect_failed"
        case .staleConnection: "stale_connection"
        case .reset: "reset"
        case .timeout: "timeout"
        case .silent: "silent"
        case .badStatus: "bad_status"
        case .full: "full"
        }
    }
}

/// How an active probe ended: `sluice_probes_total{result}`.
package enum ProbeResult: UInt8, MetricKey {
    case passed
    case failed
    case timedOut
    case refused

    /// The label value.
    package var token: StaticString {
        switch self {
        case .passed: "passed"
        case .failed: "failed"
        case .timedOut: "timed_out"
        case .refused: "refused"
        }
    }
}

/// Why a replica was set aside: `sluice_ejections_total{cause}`.
package enum EjectionCause: UInt8, MetricKey {
    /// Consecutive failures in real traffic.
    case failures
    /// Requests in flight made no progress.
    case stalled

    /// The label value.
    package var token: StaticString {
        switch self {
        case .failures: "failures"
        case .stalled: "stalled"
        }
    }
}

/// How a TLS handshake with a client ended: `sluice_tls_handshakes_total{result}`.
package enum HandshakeResult: UInt8, MetricKey {
    /// A full one succeeded.
    case full
    /// A session was resumed.
    case resumed
    /// The client closed, or was closed when the gateway stopped.
    case closed
    /// It took too long, or its turn did not come in time.
    case timedOut
    /// The client speaks plain HTTP.
    case plainHTTP
    /// The client's certificate is missing or not good.
    case untrusted
    /// The client refused, by an alert.
    case refused
    /// No TLS, or nothing in common.
    case failed

    /// The label value.
    package var token: StaticString {
        switch self {
        case .full: "full"
        case .resumed: "resumed"
        case .closed: "closed"
        case .timedOut: "timed_out"
        case .plainHTTP: "plain_http"
        case .untrusted: "untrusted"
        case .refused: "refused"
        case .failed: "failed"
        }
    }
}

/// What became of an arriving client connection: `sluice_client_connections_total{result}`.
package enum ConnectionResult: UInt8, MetricKey {
    case accepted
    /// Closed at once: the connection limit was reached.
    case refused

    /// The label value.
    package var token: StaticString {
        switch self {
        case .accepted: "accepted"
        case .refused: "refused"
        }
    }
}
