import Testing
import Transport

@Suite struct `TLS library` {
    @Test func `says which version it is`() {
        #expect(TLSLibrary.version.contains(/^OpenSSL 3\.\d+\.\d+/))
    }
}
