import Certificates
import Foundation
import Testing
import Transport

@Suite struct `TLS authorities` {
    @Test func `are as good from memory as from a file`() async throws {
        let path = try Signed.authority.get().certificate
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let client = try TLSClient(authorities: .only(.bytes(bytes)))
        let server = try Signed.tlsServer()
        let outcome = try await onLoop { context in
            await (try Pair(on: context)).shakeHands(client, server)
        }
        #expect(outcome.client == nil)
    }

    @Test func `may be several in one source`() throws {
        let path = try Signed.authority.get().certificate
        let other = try TestAuthority("Second")
        let both =
            try Data(contentsOf: URL(fileURLWithPath: path))
            + Data(contentsOf: URL(fileURLWithPath: other.certificate))
        #expect(throws: Never.self) {
            try TLSClient(authorities: .only(.bytes(Array(both))))
        }
    }
}
