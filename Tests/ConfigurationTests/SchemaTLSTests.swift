import Testing

@testable import Configuration

@Suite struct `TLS settings` {
    @Test func `put the default certificate first`() {
        var tls = Configuration.TLS(.init(certificate: "a", key: "b"))
        tls.others = [.init(certificate: "c", key: "d")]
        #expect(tls.certificates.map(\.certificate) == ["a", "c"])
        #expect(tls.clientAuth == .none && tls.clientCA == nil)
    }

    @Test func `make replicas prove who they are by default`() {
        let tls = Configuration.UpstreamTLS()
        #expect(tls.verify && tls.ca == nil && tls.serverName == nil && tls.certificate == nil)
        #expect(Configuration.PoolSettings().tls == nil)
    }
}
