import Certificates
import Testing
import Transport

@Suite struct `TLS tickets` {
    private func resumes(
        _ client: TLSClient,
        _ servers: [TLSServer]
    ) async throws -> [Bool] {
        try await onLoop { context in
            var resumed: [Bool] = []
            for server in servers {
                let pair = try await Pair(on: context)
                _ = await pair.shakeHands(client, server)
                guard let buffer = context.buffers.take() else { throw Unexpected.noBuffer }
                defer { context.buffers.giveBack(buffer) }
                resumed.append(pair.other.isResumed)
                try await pair.send([2], through: pair.other, on: context)
                _ = try await pair.receive(pair.one, into: buffer)
            }
            return resumed
        }
    }

    @Test func `outlive another generation of certificates`() async throws {
        let tickets = TLSTickets()
        let one = try TLSServer([Signed.serverCertificate()], tickets: tickets)
        let other = try TLSServer([Signed.serverCertificate()], tickets: tickets)
        #expect(try await resumes(Signed.tlsClient(), [one, other]) == [false, true])
    }

    @Test func `mean nothing to a server with other keys`() async throws {
        let servers = [try Signed.tlsServer(), try Signed.tlsServer()]
        #expect(try await resumes(Signed.tlsClient(), servers) == [false, false])
    }

    @Test func `do not carry a client past a change of what is asked of it`() async throws {
        let tickets = TLSTickets()
        let certificate = try Signed.serverCertificate()
        let auth = TLSClientAuth(authorities: try Signed.authorities(), isRequired: true)
        let servers = [
            try TLSServer([certificate], tickets: tickets),
            try TLSServer([certificate], clients: auth, tickets: tickets),
            try TLSServer([certificate], clients: auth, tickets: tickets),
        ]
        let client = try TLSClient(
            authorities: Signed.authorities(),
            certificate: Signed.certificate(Signed.client.get())
        )
        #expect(try await resumes(client, servers) == [false, false, true])
    }
}
