// Everything that can end an exchange early, and whose side it was on.

internal import Balancing
internal import HTTPWire
internal import Telemetry

/// Why an exchange did not end in a whole answer from a replica.
enum ExchangeError: Error {
    // Downstream
    /// The client left, or cut its request short.
    case clientGone
    /// The client took too long to send its head or body.
    case slowClient
    /// The client speaks plain HTTP where TLS is spoken.
    case plainOnTLS
    /// The client's bytes are no message that can be framed with certainty.
    case malformed(WireError)
    /// The request body is larger than the route allows.
    case tooLarge
    /// `Expect` asks for something other than `100-continue`.
    case unknownExpectation
    /// CONNECT, or TRACE and OPTIONS that must not go further.
    case methodRefused
    case noRoute

    // Ours
    /// The pool refused it: queue full, waited too long, no replica, stopping.
    case shed(Shed)
    /// The deadline passed.
    case deadline
    /// The gateway has no memory left for another message.
    case outOfBuffers
    /// The gateway ends what is still in flight.
    case stopping

    // Upstream
    /// An attempt failed, and it was the last one.
    case upstream(UpstreamFault)
    /// An attempt failed, and another one is granted.
    case again(UpstreamFault)

    /// Whether `serve` goes round once more.
    var isAnotherAttempt: Bool {
        if case .again = self { return true }
        return false
    }

    /// What went wrong at the replica, if that is where it went wrong.
    var fault: UpstreamFault? {
        switch self {
        case .upstream(let fault), .again(let fault): fault
        default: nil
        }
    }
}

/// A failed attempt at a replica.
struct UpstreamFault: Equatable {
    enum Kind: Equatable {
        case connectFailed
        case connectTimeout
        /// No descriptor or port of our own was left for a connection.
        case noConnectionLeft
        case reset
        case timeout
        case invalid(WireError)
        /// 502, 503 or 504 from the replica itself.
        case status(UInt16)
        /// 429 or 503 with Retry-After: the replica has no room now.
        case full(retryAfter: Duration)
        /// A body went silent.
        case stalled
        /// Not a byte on any connection, while another replica had room.
        case silent
    }

    /// How far the attempt had come.
    enum Stage: Equatable {
        /// Nothing was sent.
        case connecting
        /// Sent, but no byte of the answer reached the client.
        case unanswered(onReusedConnection: Bool)
        /// Bytes of the answer have reached the client.
        case answering
    }

    var kind: Kind
    var stage: Stage

    /// What the pool is told of it.
    var verdict: Verdict {
        switch kind {
        case .connectFailed: .failure(.connectRefused)
        case .connectTimeout: .failure(.connectTimeout)
        case .noConnectionLeft: .abandoned
        // A kept connection that the replica closed is its right, not its failure.
        case .reset:
            stage == .unanswered(onReusedConnection: true) ? .abandoned : .failure(.reset)
        case .timeout: .failure(.timeout)
        case .invalid: .failure(.invalid)
        case .status(let status): .failure(.badStatus(Int(status)))
        case .full(let retryAfter): .full(retryAfter: retryAfter)
        case .stalled: .failure(.stalled)
        case .silent: .failure(.silent)
        }
    }

    var attemptResult: AttemptResult {
        switch kind {
        case .connectFailed, .connectTimeout: .connectFailed
        case .noConnectionLeft: .abandoned
        case .reset: .reset
        case .timeout: .timeout
        case .invalid: .invalid
        case .status: .badStatus
        case .full: .full
        case .stalled: .stalled
        case .silent: .silent
        }
    }

    var retryCause: RetryCause {
        switch kind {
        case .connectFailed, .connectTimeout, .noConnectionLeft: .connectFailed
        case .reset: stage == .unanswered(onReusedConnection: true) ? .staleConnection : .reset
        case .timeout, .stalled: .timeout
        case .silent: .silent
        case .invalid, .status: .badStatus
        case .full: .full
        }
    }
}
