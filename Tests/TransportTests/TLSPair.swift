// Two ends of a connection that speak TLS with each other, on one loop.

import Certificates
import Transport

/// The authority of this module's tests, and what it has signed.
enum Signed {
    static let authority = Result { try TestAuthority() }
    static let server = Result { try authority.get().sign("server") }
    static let client = Result {
        try authority.get().sign("client", names: ["alice"], subject: "/O=Callers/CN=alice")
    }

    /// The server's certificate, ready to be used.
    static func serverCertificate() throws -> TLSCertificate {
        try certificate(server.get())
    }

    static func certificate(_ pair: TestAuthority.Pair) throws -> TLSCertificate {
        try TLSCertificate(certificate: .file(pair.certificate), key: .file(pair.key))
    }

    static func authorities() throws -> TLSAuthorities {
        .only(.file(try authority.get().certificate))
    }

    static func tlsServer() throws -> TLSServer {
        try TLSServer([serverCertificate()], tickets: TLSTickets())
    }

    static func tlsClient() throws -> TLSClient {
        try TLSClient(authorities: authorities())
    }
}

/// What came of a handshake at both ends.
struct Handshakes {
    var client: TLSError?
    var server: TLSError?
}

extension Pair {
    /// Shakes hands, `one` as the client, `other` as the server.
    func shakeHands(
        _ client: TLSClient,
        _ server: TLSServer,
        to name: String = "localhost"
    ) async -> Handshakes {
        var outcome = Handshakes()
        do throws(TLSError) { try one.startTLS(with: client, to: name) } catch {
            outcome.client = error
            return outcome
        }
        do throws(TLSError) { try other.startTLS(as: server) } catch {
            outcome.server = error
            return outcome
        }
        var (isClientDone, isServerDone) = (false, false)
        while !(isClientDone && isServerDone) {
            if !isClientDone {
                do throws(TLSError) {
                    isClientDone = try one.handshake()
                    if isClientDone { one.settle() }
                } catch {
                    outcome.client = error
                    isClientDone = true
                    one.close()
                }
            }
            if !isServerDone {
                do throws(TLSError) { isServerDone = try other.handshake() } catch {
                    outcome.server = error
                    isServerDone = true
                    other.close()
                }
            }
            let isWaiting = (isClientDone || !one.isReadable) && (isServerDone || !other.isReadable)
            if isWaiting && !(isClientDone && isServerDone) { await parking.park(until: nil) }
        }
        return outcome
    }
}
