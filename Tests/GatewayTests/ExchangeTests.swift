import Balancing
import HTTPWire
import Simulation
import Testing
import Transport

@testable import Gateway

/// What is known of a request, and whether it is tried again (wire.md 24, RFC 9110 §9.2.2).
@Suite struct `An exchange` {
    /// One row of the table: what was asked, what went wrong, what follows.
    struct Row: Sendable, CustomTestStringConvertible {
        var method = "GET"
        var idempotent = false
        var kind: UpstreamFault.Kind
        var stage: UpstreamFault.Stage
        var decision: RetryDecision
        var testDescription: String {
            "\(method)\(idempotent ? " idempotent" : "") \(kind) \(stage): \(decision)"
        }
    }

    private static let fresh = UpstreamFault.Stage.unanswered(onReusedConnection: false)
    private static let kept = UpstreamFault.Stage.unanswered(onReusedConnection: true)

    static let table: [Row] = [
        // What was never sent may go elsewhere, whatever it is.
        Row(method: "POST", kind: .connectFailed, stage: .connecting, decision: .again),
        Row(method: "POST", kind: .connectTimeout, stage: .connecting, decision: .again),
        Row(method: "PATCH", kind: .connectFailed, stage: .connecting, decision: .again),
        Row(method: "BREW", kind: .connectFailed, stage: .connecting, decision: .again),
        // A kept connection that broke before it answered.
        Row(method: "GET", kind: .reset, stage: kept, decision: .again),
        Row(method: "POST", kind: .reset, stage: kept, decision: .again),
        // A fresh one: only what may be sent twice.
        Row(method: "GET", kind: .reset, stage: fresh, decision: .again),
        Row(method: "PUT", kind: .reset, stage: fresh, decision: .again),
        Row(method: "DELETE", kind: .reset, stage: fresh, decision: .again),
        Row(method: "OPTIONS", kind: .reset, stage: fresh, decision: .again),
        Row(method: "POST", kind: .reset, stage: fresh, decision: .notRepeatable),
        Row(method: "PATCH", kind: .reset, stage: fresh, decision: .notRepeatable),
        Row(method: "BREW", kind: .reset, stage: fresh, decision: .notRepeatable),
        Row(method: "POST", idempotent: true, kind: .reset, stage: fresh, decision: .again),
        // The replica's own answers.
        Row(method: "GET", kind: .status(503), stage: fresh, decision: .again),
        Row(method: "POST", kind: .status(503), stage: fresh, decision: .notRepeatable),
        Row(method: "POST", kind: .status(503), stage: kept, decision: .notRepeatable),
        Row(method: "POST", idempotent: true, kind: .status(502), stage: kept, decision: .again),
        Row(method: "GET", kind: .invalid(.badStatusLine), stage: fresh, decision: .again),
        Row(
            method: "POST",
            kind: .invalid(.badStatusLine),
            stage: kept,
            decision: .notRepeatable
        ),
        Row(method: "GET", kind: .full(retryAfter: .seconds(1)), stage: fresh, decision: .again),
        // The time is used up.
        Row(method: "GET", kind: .timeout, stage: fresh, decision: .tookTooLong),
        Row(method: "GET", kind: .timeout, stage: kept, decision: .tookTooLong),
        Row(method: "GET", kind: .stalled, stage: fresh, decision: .tookTooLong),
        // Bytes have reached the client.
        Row(method: "GET", kind: .reset, stage: .answering, decision: .answerBegan),
        Row(
            method: "GET",
            idempotent: true,
            kind: .stalled,
            stage: .answering,
            decision: .answerBegan
        ),
    ]

    /// Lets `body` have an exchange whose request has been prepared.
    private func withExchange(
        _ request: String,
        _ settings: Stage.Settings = Stage.Settings(),
        _ body: @escaping (Exchange, ClientConnection) async throws -> Void
    ) throws {
        let stage = try Stage(settings)
        var isDone = false
        let address = stage.listen(port: 7000) { lane, exchange, client in
            _ = try lane.prepare(exchange, from: client)
            defer { isDone = true }
            try await body(exchange, client)
            throw ExchangeError.noRoute
        }
        let client = stage.client(to: address)
        client.send(request)
        #expect(stage.run { isDone })
    }

    @Test(arguments: table)
    func `is tried again only when that does no harm`(row: Row) throws {
        let settings = Stage.Settings(route: "idempotent: \(row.idempotent),")
        try withExchange(head("\(row.method) / HTTP/1.1", "Host: a"), settings) { exchange, _ in
            let error = exchange.after(UpstreamFault(kind: row.kind, stage: row.stage))
            #expect(exchange.failures.map(\.decision) == [row.decision])
            #expect(error.isAnotherAttempt == (row.decision == .again))
            #expect(error.fault == UpstreamFault(kind: row.kind, stage: row.stage))
        }
    }

    private static let broken = UpstreamFault(kind: .reset, stage: fresh)
    private static let refused = UpstreamFault(kind: .connectFailed, stage: .connecting)

    @Test func `is tried at most as often as its route says`() throws {
        let settings = Stage.Settings(route: "attempts: 2,")
        try withExchange(head("GET / HTTP/1.1", "Host: a"), settings) { exchange, _ in
            let endpoint = exchange.somewhere
            exchange.leased(endpoint, after: .zero)
            #expect(exchange.after(Self.refused).isAnotherAttempt)
            exchange.leased(endpoint, after: .zero)
            #expect(!exchange.after(Self.refused).isAnotherAttempt)
            #expect(exchange.failures.map(\.decision) == [.again, .attemptsUsed])
        }
    }

    @Test func `is not tried again once an answer may have reached the client`() throws {
        try withExchange(head("GET / HTTP/1.1", "Host: a")) { exchange, _ in
            exchange.isAnswered = true
            _ = exchange.after(Self.broken)
            #expect(exchange.failures.map(\.decision) == [.answerBegan])
        }
    }

    @Test func `is not tried again after its deadline`() throws {
        try withExchange(head("GET / HTTP/1.1", "Host: a")) { exchange, _ in
            exchange.setDeadline(route: .seconds(1), client: .zero)
            _ = exchange.after(Self.refused)
            #expect(exchange.failures.map(\.decision) == [.deadline])
        }
    }

    @Test func `pays for a repetition out of the pool's budget, not for a refused connection`()
        throws
    {
        let settings = Stage.Settings(
            pool: "retries: { budgetShare: 0, budgetPerSecond: 0.2, budgetWindow: \"10s\" },",
            route: "attempts: 10,"
        )
        try withExchange(head("GET / HTTP/1.1", "Host: a"), settings) { exchange, _ in
            var decisions: [RetryDecision] = []
            for _ in 0..<4 { _ = exchange.after(Self.broken) }
            decisions = exchange.failures.map(\.decision)
            // 0.2 a second over ten seconds: two.
            #expect(decisions == [.again, .again, .budgetSpent, .budgetSpent])
            #expect(exchange.after(Self.refused).isAnotherAttempt)
        }
    }

    @Test func `remembers whom it has tried`() throws {
        try withExchange(head("GET / HTTP/1.1", "Host: a")) { exchange, _ in
            let endpoint = exchange.somewhere
            exchange.leased(endpoint, after: .milliseconds(3))
            _ = exchange.after(Self.refused)
            #expect(exchange.tried == [endpoint.id])
            #expect(exchange.failures.map(\.replica) == [endpoint.name])
            #expect(exchange.attempts == 1)
            #expect(exchange.queued == .milliseconds(3))
        }
    }

    // MARK: what its head says

    @Test func `keeps what outlives the head`() throws {
        let request = head("BREW http://a/pot?milk=1 HTTP/1.1", "Host: a", "Connection: close")
        try withExchange(request) { exchange, _ in
            #expect(text(exchange.methodToken) == "BREW")
            #expect(text(exchange.target) == "http://a/pot?milk=1")
            #expect(exchange.pathLength == "http://a/pot".utf8.count)
            #expect(exchange.method == .other)
            #expect(!exchange.keepsConnection)
            #expect(!exchange.isHTTP10)
        }
    }

    @Test func `forgets everything before the next request`() throws {
        let request = head("POST /x HTTP/1.0", "Host: a", "Connection: keep-alive")
        try withExchange(request) { exchange, _ in
            _ = exchange.after(Self.refused)
            exchange.isAnswered = true
            exchange.status = 200
            exchange.bytesSent = 5
            exchange.reset()
            #expect(exchange.method == .get)
            #expect(exchange.target.isEmpty && exchange.methodToken.isEmpty)
            #expect(exchange.requestID.isEmpty && exchange.traceparent.isEmpty)
            #expect(!exchange.isHTTP10 && !exchange.isAnswered && !exchange.keepsConnection)
            #expect(exchange.status == 0 && exchange.bytesSent == 0 && exchange.attempts == 0)
            #expect(exchange.failures.isEmpty && exchange.tried.isEmpty)
            #expect(exchange.route == nil && exchange.replica == nil)
        }
    }

    @Test(arguments: [
        (Duration.seconds(9), Duration?.none, 9.0), (.seconds(9), .seconds(2), 2),
        (.seconds(2), .seconds(9), 2),
    ])
    func `has the earlier of two deadlines`(
        route: Duration,
        wish: Duration?,
        seconds: Double
    ) throws {
        try withExchange(head("GET / HTTP/1.1", "Host: a")) { exchange, _ in
            exchange.setDeadline(route: route, client: wish)
            #expect(exchange.deadline - exchange.arrivedAt == .seconds(seconds))
            #expect(exchange.timeLeft <= .seconds(seconds))
        }
    }

    @Test func `has no time left after its deadline, never less`() throws {
        try withExchange(head("GET / HTTP/1.1", "Host: a")) { exchange, client in
            exchange.setDeadline(route: .milliseconds(5), client: nil)
            await client.parking.sleep(until: exchange.deadline + .seconds(1))
            #expect(exchange.timeLeft == .zero)
        }
    }

    @Test func `a wait ends when its client leaves`() throws {
        let stage = try Stage()
        var outcome: ExchangeError?
        let address = stage.listen(port: 7000) { lane, exchange, client in
            _ = try lane.prepare(exchange, from: client)
            while true {
                do throws(ExchangeError) {
                    try await exchange.wait(until: exchange.deadline)
                } catch {
                    outcome = error
                    throw error
                }
            }
        }
        let client = stage.client(to: address)
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.milliseconds(10))
        #expect(outcome == nil)
        client.close()
        #expect(stage.run(within: .milliseconds(10)) { outcome != nil })
        guard case .clientGone = outcome else {
            Issue.record("\(String(describing: outcome))")
            return
        }
    }
}

extension Exchange {
    /// An endpoint of the pool the exchange is routed to.
    fileprivate var somewhere: Endpoint {
        guard let pool = route?.pool, let id = pool.snapshot().replicas.first?.id,
            let endpoint = pool.nextProbe(of: id)?.endpoint
        else { preconditionFailure("the pool has no replica") }
        return endpoint
    }
}
