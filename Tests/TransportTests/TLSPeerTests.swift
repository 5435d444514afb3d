import Certificates
import Testing
import Transport

@Suite struct `TLS peer` {
    private func peer(subject: String, named file: String) async throws -> TLSPeer? {
        let pair = try Signed.authority.get().sign(file, subject: subject)
        let client = try TLSClient(
            authorities: Signed.authorities(),
            certificate: Signed.certificate(pair)
        )
        let server = try TLSServer(
            [Signed.serverCertificate()],
            clients: TLSClientAuth(authorities: Signed.authorities(), isRequired: true),
            tickets: TLSTickets()
        )
        return try await onLoop { context in
            let pair = try await Pair(on: context)
            _ = await pair.shakeHands(client, server)
            return pair.other.tlsPeer
        }
    }

    @Test func `writes its subject in visible characters only`() async throws {
        let peer = try await peer(subject: "/O=A, B/CN=J\u{f6}rg", named: "subject")
        #expect(peer?.subject.utf8.allSatisfy { (0x20...0x7e).contains($0) } == true)
        #expect(peer?.subject.contains("O=A\\, B") == true)
    }

    @Test func `has no common name when the certificate has none`() async throws {
        let peer = try await peer(subject: "/O=Nameless", named: "nameless")
        #expect(peer?.commonName == nil)
        #expect(peer?.subject == "O=Nameless")
    }
}
