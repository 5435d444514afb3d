// What is known of one request while it is served: where it goes, by when, and what it cost.

internal import Balancing
internal import HTTPWire
internal import Telemetry
internal import Transport

/// One request and its answer.
///
/// A connection has one while it serves a request; then another connection uses it again.
final class Exchange {
    unowned var client: ClientConnection
    let lane: Lane
    /// The bytes on their way to the replica.
    let body: RequestBody

    // The request
    private(set) var method = Method.get
    private(set) var methodToken = KeptBytes()
    private(set) var target = KeptBytes()
    /// Bytes of the target before its query.
    private(set) var pathLength = 0
    private(set) var isHTTP10 = false
    private(set) var isTrusted = false
    /// Whether the client has said that this is its last request.
    private(set) var clientCloses = false
    var expectsContinue = false
    /// The protocol the client may switch to, if the route allows what it asked for.
    var upgrade: [UInt8] = []
    var requestID = KeptBytes()
    var traceparent = KeptBytes()

    // Its way
    var route: Route?
    private(set) var arrivedAt: Instant
    private(set) var deadline: Instant
    /// Whether the client asked for a deadline before the route's: no replica is blamed for it.
    private(set) var hasOwnDeadline = false
    private(set) var attempts = 0
    /// Whether an attempt was given up for its replica's silence: that is done once.
    private(set) var hasGivenUp = false
    private(set) var tried: [ReplicaID] = []
    /// The attempts that failed, for `/explain`; at most as many as a route allows.
    private(set) var failures: [FailedAttempt] = []
    var affinity: UInt64?
    var priority = 0
    private(set) var replica: Endpoint?

    // What it cost
    private(set) var queued = Duration.zero
    private(set) var connecting = Duration.zero
    private(set) var firstByte = Duration.zero
    private(set) var leasedAt: Instant

    // Its answer
    /// Whether any byte of a final answer may have reached the client.
    var isAnswered = false
    var status: UInt16 = 0
    var reason = Reason.ok
    var bytesSent: UInt64 = 0
    /// Whether the connection serves another request after this one.
    var keepsConnection = false
    /// Whether the connection has become a tunnel.
    var isTunnel = false

    init(client: ClientConnection, lane: Lane) {
        self.client = client
        self.lane = lane
        body = RequestBody(on: lane.context)
        arrivedAt = lane.now
        deadline = lane.now
        leasedAt = lane.now
    }

    /// Begins with the first byte of a request.
    func start() {
        arrivedAt = lane.now
        leasedAt = lane.now
    }

    /// Forgets everything, for the next one who uses it.
    func reset() {
        body.reset()
        method = .get
        isHTTP10 = false
        clientCloses = false
        route = nil
        replica = nil
        attempts = 0
        hasGivenUp = false
        if !tried.isEmpty { tried.removeAll(keepingCapacity: true) }
        if !failures.isEmpty { failures.removeAll(keepingCapacity: true) }
        affinity = nil
        priority = 0
        queued = .zero
        connecting = .zero
        firstByte = .zero
        isAnswered = false
        status = 0
        reason = .ok
        bytesSent = 0
        keepsConnection = false
        isTunnel = false
        expectsContinue = false
        methodToken.removeAll()
        target.removeAll()
        pathLength = 0
        if !upgrade.isEmpty { upgrade.removeAll(keepingCapacity: true) }
        requestID.removeAll()
        traceparent.removeAll()
    }

    /// Notes what the head says, in bytes that outlive it.
    func begin(_ head: RequestHead, of source: Span<UInt8>, isTrusted: Bool) {
        method = head.method
        methodToken.replace(with: source.part(head.methodRange))
        target.replace(with: source.part(head.target))
        let path = head.path.bounds.upperBound - Int(head.target.start)
        pathLength = head.path.isEmpty ? target.count : min(target.count, max(0, path))
        isHTTP10 = head.version == .http10
        keepsConnection = head.keepAlive
        clientCloses = !head.keepAlive
        expectsContinue = head.expectsContinue
        self.isTrusted = isTrusted
    }

    /// Sets the deadline: the smallest of the route's timeout and what the client asks for.
    func setDeadline(route timeout: Duration, client wish: Duration?) {
        deadline = arrivedAt + min(timeout, wish ?? timeout)
        hasOwnDeadline = wish.map { $0 < timeout } ?? false
    }

    /// What is left until the deadline; never negative.
    var timeLeft: Duration { max(.zero, deadline - lane.now) }

    /// The longest silence of the replica inside an answer.
    var streamIdle: Duration { route?.settings.streamIdle ?? .seconds(60) }

    /// Notes that a replica has been leased for another attempt.
    func leased(_ endpoint: Endpoint, after wait: Duration) {
        attempts += 1
        queued += wait
        leasedAt = lane.now
        firstByte = .zero
        replica = endpoint
    }

    func connected(after duration: Duration) { connecting = duration }

    func answerBegan() { firstByte = lane.now - leasedAt }

    /// Waits until something of this exchange moves, at most until `instant`.
    ///
    /// - Throws: `.clientGone` when nobody waits for the answer any more, `.stopping` when the
    ///   gateway cuts what is still in flight.
    func wait(until instant: Instant) async throws(ExchangeError) {
        await client.parking.park(until: instant)
        try checkIsWanted()
    }

    /// - Throws: as `wait`.
    func checkIsWanted() throws(ExchangeError) {
        if client.hasLeft { throw .clientGone }
        if lane.gateway.isCutting { throw .stopping }
    }

    /// Whether sending it twice does no harm.
    var isRepeatable: Bool { method.isIdempotent || route?.isIdempotent == true }

    /// Decides what a fault means: another attempt if it is allowed and paid for, else the end.
    ///
    /// wire.md 24: what was never sent may go elsewhere; a request on a kept connection that
    /// broke may be sent once more; anything else only when sending twice does no harm.
    func after(_ fault: UpstreamFault) -> ExchangeError {
        end(fault, retryDecision(fault))
    }

    /// Leaves a replica that has said nothing since `quietSince`, if that is allowed, another one
    /// has room, and the pool's budget pays; nil: the attempt goes on.
    ///
    /// Once for a request: what takes long everywhere must not be begun for ever.
    func giveUp(quietSince: Instant) -> ExchangeError? {
        guard mayGiveUp, lane.now < deadline, let replica, let route,
            route.pool.giveUp(
                on: replica,
                quietSince: quietSince,
                avoiding: tried,
                now: lane.now
            )
        else { return nil }
        hasGivenUp = true
        let stage = UpstreamFault.Stage.unanswered(onReusedConnection: false)
        return end(UpstreamFault(kind: .silent, stage: stage), .again)
    }

    /// Whether the attempt may be given up before its time, as far as the request is concerned.
    var mayGiveUp: Bool {
        guard let route, !hasGivenUp, attempts < route.attemptsMax else { return false }
        return isRepeatable && body.isReplayable && !isAnswered && !lane.gateway.isCutting
    }

    /// Notes a failed attempt and what was decided.
    private func end(_ fault: UpstreamFault, _ decision: RetryDecision) -> ExchangeError {
        if let replica { tried.append(replica.id) }
        failures.append(
            FailedAttempt(
                replica: replica?.name ?? "",
                fault: fault,
                after: lane.now - arrivedAt,
                decision: decision
            )
        )
        guard decision == .again, let route else { return .upstream(fault) }
        route.pool.metrics.retried(fault.retryCause, stripe: lane.index)
        return .again(fault)
    }

    private func retryDecision(_ fault: UpstreamFault) -> RetryDecision {
        guard let route, attempts < route.attemptsMax else { return .attemptsUsed }
        if isAnswered { return .answerBegan }
        if !body.isReplayable { return .bodyGone }
        if lane.now >= deadline { return .deadline }
        if lane.gateway.isCutting { return .stopping }
        switch (fault.stage, fault.kind) {
        case (.answering, _): return .answerBegan
        case (_, .timeout), (_, .stalled): return .tookTooLong
        case (.connecting, _): return .again
        case (.unanswered(onReusedConnection: true), .reset): return .again
        default: break
        }
        guard isRepeatable else { return .notRepeatable }
        return route.pool.withdrawFromRetryBudget(now: lane.now) ? .again : .budgetSpent
    }
}
