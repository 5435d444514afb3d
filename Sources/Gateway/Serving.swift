// The centre: the way of one exchange from its route to the end of its answer.

internal import Balancing
internal import Transport

/// What is done with the requests of clients: they go to replicas.
struct Forwarding: ClientService {
    func serve(
        _ exchange: Exchange,
        to client: ClientConnection,
        on lane: Lane
    ) async throws(ExchangeError) {
        try await lane.serve(exchange, to: client)
    }
}

extension Lane {
    /// Serves one exchange: route, wait for a replica, forward, answer.
    ///
    /// Control flow lives here and nowhere else; every step below is a leaf that returns or throws
    /// one `ExchangeError`. The caller turns a thrown error into an answer.
    func serve(_ exchange: Exchange, to client: ClientConnection) async throws(ExchangeError) {
        let route = try prepare(exchange, from: client)

        while true {
            // Admit and pick: waits in the pool's queue, or is shed at once.
            let lease = try await route.pool.lease(for: exchange)

            do throws(ExchangeError) {
                let upstream: UpstreamConnection
                if let kept = upstreams.takeKept(to: lease.endpoint, for: exchange) {
                    upstream = kept
                } else {
                    upstream = try await upstreams.connect(to: lease.endpoint, for: exchange)
                }
                defer { upstreams.giveBack(upstream) }
                if try !upstream.sendAtOnce(exchange) { try await upstream.sendRest(of: exchange) }
                try await upstream.receiveHead(for: exchange)
                // From here on bytes reach the client: no second attempt.
                if try !client.relayAtOnce(from: upstream) {
                    try await client.relayRest(from: upstream)
                }
                lease.end(upstream.answer.verdict)
                return
            } catch {
                lease.end(Verdict(error))
                guard error.isAnotherAttempt else { throw error }
            }
        }
    }
}

extension Verdict {
    /// What an error says about the replica that was leased.
    init(_ error: ExchangeError) {
        self = error.fault?.verdict ?? .abandoned
    }
}
