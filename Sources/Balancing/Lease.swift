// The right to one slot of one replica, as a plain value, and how it may end.

/// One leased slot.
///
/// The gateway wraps it so that it is ended exactly once.
package struct LeaseTicket: Sendable, Equatable {
    /// The replica whose slot is held.
    package let replica: ReplicaID
    /// When the slot was taken.
    package let startedAt: Moment
    /// Whether this request decides the readmission of an ejected replica.
    package let isTrial: Bool

    /// A ticket; made by the pool.
    init(replica: ReplicaID, startedAt: Moment, isTrial: Bool = false) {
        self.replica = replica
        self.startedAt = startedAt
        self.isTrial = isTrial
    }
}

/// How a lease ended, seen from the replica.
package enum Verdict: Sendable, Equatable {
    /// The replica did its part; any 4xx is this too.
    case success
    /// The replica is to blame.
    case failure(FailureKind)
    /// The replica said 429 or 503 with Retry-After: hold it back, no blame.
    case full(retryAfter: Duration?)
    /// Ended for a reason that says nothing about the replica (the client left).
    case abandoned

    /// Whether the replica said something, which is progress.
    var showsProgress: Bool {
        switch self {
        case .success, .full, .failure(.badStatus), .failure(.invalid): true
        case .failure, .abandoned: false
        }
    }
}

/// What a replica did wrong.
package enum FailureKind: Sendable, Equatable {
    /// Nothing listens at its endpoint: down at once.
    case connectRefused
    /// No connection in time.
    case connectTimeout
    /// The connection broke before the response was whole.
    case reset
    /// No response in time.
    case timeout
    /// A 502, 503 or 504 of its own.
    case badStatus(Int)
    /// Bytes that are no response.
    case invalid
    /// The response began and then fell silent.
    case stalled
    /// Not a byte on any connection for so long that the request went to another replica.
    ///
    /// `PoolState.giveUp` has counted it.
    case silent
}
