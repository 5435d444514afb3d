import Certificates
import Testing

@testable import Transport

@Suite struct `TLS server` {
    private func server(
        requires isRequired: Bool,
        authority: TestAuthority? = nil
    ) throws -> TLSServer {
        let path = try (authority ?? Signed.authority.get()).certificate
        return try TLSServer(
            [Signed.serverCertificate()],
            clients: TLSClientAuth(authorities: .only(.file(path)), isRequired: isRequired),
            tickets: TLSTickets()
        )
    }

    private func client(_ pair: TestAuthority.Pair?) throws -> TLSClient {
        try TLSClient(
            authorities: Signed.authorities(),
            certificate: pair.map { try Signed.certificate($0) }
        )
    }

    private func meet(
        _ client: TLSClient,
        _ server: TLSServer
    ) async throws -> (Handshakes, TLSPeer?) {
        try await onLoop { context in
            let pair = try await Pair(on: context)
            let outcome = await pair.shakeHands(client, server)
            return (outcome, pair.other.tlsPeer)
        }
    }

    @Test(arguments: [true, false])
    func `knows a client by its certificate`(isRequired: Bool) async throws {
        let (outcome, peer) = try await meet(
            client(Signed.client.get()),
            server(requires: isRequired)
        )
        #expect(outcome.server == nil)
        #expect(peer?.commonName == "alice")
        #expect(peer?.subject == "CN=alice,O=Callers")
        #expect(peer?.isVerified == true)
        #expect(peer?.fingerprint.count == 64)
    }

    @Test func `refuses a client without a certificate only when one is required`() async throws {
        let refused = try await meet(client(nil), server(requires: true))
        #expect(refused.0.server?.kind == .untrusted)
        let accepted = try await meet(client(nil), server(requires: false))
        #expect(accepted.0.server == nil && accepted.1 == nil)
    }

    @Test(arguments: [true, false])
    func `refuses a client of another authority`(isRequired: Bool) async throws {
        let other = try TestAuthority("Another Authority")
        let (outcome, _) = try await meet(
            client(Signed.client.get()),
            server(requires: isRequired, authority: other)
        )
        #expect(outcome.server?.kind == .untrusted)
    }

    @Test(arguments: [
        ("a.example", "a.example"), ("A.Example", "a.example"), ("x.b.example", "*.b.example"),
        ("exact.b.example", "exact.b.example"), ("c.example", "default"),
    ])
    func `shows the certificate of the name asked for`(name: String, wanted: String) async throws {
        let client = try TLSClient(authorities: nil)
        let server = try Self.named.get()
        let shown = try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server, to: name)
            return pair.one.tlsPeer?.commonName
        }
        #expect(shown == wanted)
    }

    private static let named = Result {
        try TLSServer(
            ["default", "a.example", "*.b.example", "exact.b.example"].enumerated()
                .map { index, name in
                    try Signed.certificate(
                        Signed.authority.get().sign("sni-\(index)", names: [name])
                    )
                },
            tickets: TLSTickets()
        )
    }

    @Test(arguments: [false, true])
    func `has certificates of RSA and ECDSA for one name`(isRSAFirst: Bool) async throws {
        let authority = try Signed.authority.get()
        let file = "two-\(isRSAFirst)"
        let ecdsa = try authority.sign(file + "-ecdsa")
        let rsa = try authority.sign(file + "-rsa", bits: 2048)
        let pairs = isRSAFirst ? [rsa, ecdsa] : [ecdsa, rsa]
        let server = try TLSServer(pairs.map { try Signed.certificate($0) }, tickets: TLSTickets())
        let (outcome, _) = try await meet(client(nil), server)
        #expect(outcome.client == nil && outcome.server == nil)
    }

    @Test func `needs a certificate`() {
        #expect(throws: TLSError.self) { try TLSServer([], tickets: TLSTickets()) }
    }

    @Test func `refuses a client that speaks none of its protocols`() async throws {
        let client = try TLSClient(authorities: Signed.authorities(), protocols: ["h2"])
        let (outcome, _) = try await meet(client, Signed.tlsServer())
        #expect(outcome.client?.kind == .refused)
    }

    @Test func `speaks with a client that names no protocol`() async throws {
        let client = try TLSClient(authorities: Signed.authorities(), protocols: [])
        let (outcome, _) = try await meet(client, Signed.tlsServer())
        #expect(outcome.client == nil)
    }
}
