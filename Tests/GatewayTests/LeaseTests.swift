import Balancing
import Simulation
import Telemetry
import Testing
import Transport

@testable import Gateway

/// The right to one slot, given back exactly once.
@Suite struct `A lease` {
    /// Leases a slot inside a gateway; what the metrics say afterwards.
    private func counts(
        _ body: @escaping (consuming Lease) -> Void
    ) throws -> (inFlight: Int, ended: [String]) {
        let stage = try Stage()
        var isDone = false
        let address = stage.listen(port: 7000) { lane, exchange, client in
            let route = try lane.prepare(exchange, from: client)
            let lease = try await route.pool.lease(for: exchange)
            #expect(route.pool.snapshot().inFlight == 1)
            body(lease)
            isDone = true
            throw ExchangeError.noRoute
        }
        let client = stage.client(to: address)
        client.send(head("GET / HTTP/1.1", "Host: a"))
        #expect(stage.run(within: .seconds(1)) { isDone })
        let ended = try stage.metrics().split(separator: "\n").filter {
            $0.hasPrefix("sluice_upstream_attempts_total") && !$0.hasSuffix(" 0")
        }
        return (stage.pool.snapshot().inFlight, ended.map(String.init))
    }

    @Test func `that is ended gives its slot back with its verdict`() throws {
        let (inFlight, ended) = try counts { $0.end(.success) }
        #expect(inFlight == 0)
        #expect(ended.count == 1)
        #expect(ended[0].hasSuffix("result=\"success\"} 1"))
    }

    @Test func `that is let go counts as abandoned`() throws {
        let (inFlight, ended) = try counts { _ in }
        #expect(inFlight == 0)
        #expect(ended.count == 1)
        #expect(ended[0].hasSuffix("result=\"abandoned\"} 1"))
    }

    static let results: [(Verdict, AttemptResult)] = [
        (.success, .success), (.abandoned, .abandoned), (.full(retryAfter: .seconds(1)), .full),
        (.failure(.connectRefused), .connectFailed), (.failure(.connectTimeout), .connectFailed),
        (.failure(.reset), .reset), (.failure(.timeout), .timeout),
        (.failure(.badStatus(503)), .badStatus), (.failure(.invalid), .invalid),
        (.failure(.stalled), .stalled), (.failure(.silent), .silent),
    ]

    @Test(arguments: results)
    func `each verdict has its label`(verdict: Verdict, result: AttemptResult) {
        #expect(verdict.attemptResult == result)
    }
}
