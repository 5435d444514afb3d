import Testing
import Transport

@Suite struct `TLS error` {
    @Test func `is described by its reason`() {
        #expect("\(TLSError(.closed, "the peer has closed"))" == "the peer has closed")
        #expect(TLSError(.closed, "a") != TLSError(.refused, "a"))
    }
}
