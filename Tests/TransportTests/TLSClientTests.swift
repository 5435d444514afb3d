import Certificates
import Testing
import Transport

@Suite struct `TLS client` {
    private func outcome(
        _ client: TLSClient,
        _ server: TLSServer,
        to name: String = "localhost"
    ) async throws -> Handshakes {
        try await onLoop { context in
            let pair = try await Pair(on: context)
            return await pair.shakeHands(client, server, to: name)
        }
    }

    private func server(_ pair: TestAuthority.Pair) throws -> TLSServer {
        try TLSServer([Signed.certificate(pair)], tickets: TLSTickets())
    }

    @Test(arguments: ["localhost", "127.0.0.1"])
    func `believes a server that proves its name`(name: String) async throws {
        let outcome = try await outcome(Signed.tlsClient(), Signed.tlsServer(), to: name)
        #expect(outcome.client == nil && outcome.server == nil)
    }

    @Test(arguments: ["other.example", "127.0.0.2", "localhost.example", "ocalhost"])
    func `refuses a server of another name`(name: String) async throws {
        let outcome = try await outcome(Signed.tlsClient(), Signed.tlsServer(), to: name)
        #expect(outcome.client?.kind == .untrusted)
        #expect(outcome.client?.reason.contains("mismatch") == true)
        #expect(outcome.server?.kind == .refused)
    }

    @Test func `refuses a server without a name to prove`() async throws {
        let outcome = try await outcome(Signed.tlsClient(), Signed.tlsServer(), to: "")
        #expect(outcome.client?.kind == .unusable)
    }

    @Test func `refuses a certificate that has expired`() async throws {
        let pair = try Signed.authority.get().sign("expired", days: -1)
        let outcome = try await outcome(Signed.tlsClient(), server(pair))
        #expect(outcome.client?.reason.contains("expired") == true)
    }

    @Test func `refuses a certificate that nobody else has signed`() async throws {
        let pair = try Signed.authority.get().selfSigned("alone")
        let outcome = try await outcome(Signed.tlsClient(), server(pair))
        #expect(outcome.client?.kind == .untrusted)
        #expect(outcome.client?.reason.contains("self-signed") == true)
    }

    @Test func `refuses a certificate of another authority`() async throws {
        let other = try TestAuthority("Another Authority")
        let client = try TLSClient(authorities: .only(.file(other.certificate)))
        let outcome = try await outcome(client, Signed.tlsServer())
        #expect(outcome.client?.kind == .untrusted)
        // The system's authorities do not know it either.
        let system = try await self.outcome(TLSClient(authorities: .system), Signed.tlsServer())
        #expect(system.client?.kind == .untrusted)
    }

    @Test func `believes anybody when told not to look`() async throws {
        let pair = try Signed.authority.get().selfSigned("believed", names: ["x.example"])
        let outcome = try await outcome(TLSClient(authorities: nil), server(pair), to: "y.example")
        #expect(outcome.client == nil)
    }

    @Test func `names the authorities' file that cannot be used`() throws {
        let error = #expect(throws: TLSError.self) {
            try TLSClient(authorities: .only(.file("/nowhere/ca.pem")))
        }
        #expect(error?.reason == "/nowhere/ca.pem: No such file or directory")
        #expect(throws: TLSError.self) { try TLSClient(authorities: .only(.bytes([1, 2, 3]))) }
    }
}
