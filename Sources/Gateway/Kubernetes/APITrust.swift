// Whom the gateway believes to be the API of Kubernetes.

internal import Synchronization
internal import Transport

/// The TLS settings for the API, made anew when its authorities change.
final class APITrust: Sendable {
    private struct Made {
        var authorities: [UInt8]?
        var client: TLSClient
    }

    private let made = Mutex<Made?>(nil)

    /// The settings for these authorities, PEM; nil: those of the system.
    ///
    /// - Throws: that they cannot be used, and why.
    func client(_ authorities: [UInt8]?) throws(TLSError) -> TLSClient {
        if let made = made.withLock({ $0 }), made.authorities == authorities {
            return made.client
        }
        let client = try TLSClient(
            authorities: authorities.map { .only(.bytes($0)) } ?? .system
        )
        made.withLock { $0 = Made(authorities: authorities, client: client) }
        return client
    }
}
