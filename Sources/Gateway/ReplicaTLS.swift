// TLS towards the replicas of one pool, for requests and probes alike.

internal import Synchronization
internal import Telemetry
internal import Transport

/// How the replicas of one pool are spoken to in TLS.
struct ReplicaTLS: Sendable, Equatable {
    let client: TLSClient
    /// The name that they must prove to have; nil: the one that each is reached by.
    let serverName: String?

    static func == (one: ReplicaTLS, other: ReplicaTLS) -> Bool {
        one.client === other.client && one.serverName == other.serverName
    }

    /// Secures a connection to a replica that stands.
    func start(on socket: Socket, to endpoint: Endpoint) throws(TLSError) {
        try socket.startTLS(
            with: client,
            to: serverName ?? endpoint.host,
            key: "\(endpoint.address)"
        )
    }
}

extension Pool {
    /// Logs why a replica cannot be spoken to in TLS; of each replica every ten seconds at most.
    func complain(of endpoint: Endpoint, _ error: TLSError, now: Instant) {
        guard endpoint.mayComplain(at: now) else { return }
        log.warning("pool.\(name)", "\(endpoint.name): TLS: \(error)")
    }
}
