// TLS of listeners and pools: read, refused, compared.
import Testing

@testable import Configuration

@Suite struct `TLS of a listener` {
    private func whole(_ listener: String) -> String {
        """
        {
          listeners: [{ address: "127.0.0.1:0", \(listener) }],
          pools: { sales: { replicas: [] } },
          routes: [{ pool: "sales" }],
        }
        """
    }

    @Test func `is read`() throws {
        let listener = try load(
            whole(
                """
                tls: { certificate: "a", key: "b", passphrase: "c", clientAuth: "request",
                  clientCA: "d", certificates: [{ certificate: "e", key: "f", passphrase: "g" }] }
                """
            )
        ).checked().listeners[0]
        var expected = Configuration.TLS(.init(certificate: "a", key: "b", passphrase: "c"))
        expected.others = [.init(certificate: "e", key: "f", passphrase: "g")]
        expected.clientAuth = .request
        expected.clientCA = "d"
        #expect(listener.tls == expected)
        #expect(listener.redirect == nil)
    }

    @Test(arguments: [
        ("tls: { certificate: 'a' }", "`key` is missing"),
        ("tls: { key: 'a' }", "`certificate` is missing"),
        ("tls: { certificate: 'a', key: 'b', clientAuth: 'require' }", "`clientAuth` needs"),
        ("tls: { certificate: 'a', key: 'b', clientCA: 'c' }", "`clientCA` has no effect"),
        ("tls: { certificate: 'a', key: 'b', clientAuth: 'maybe' }", "expected one of"),
        ("tls: { certificate: 'a', key: 'b', certificates: [{ key: 'c' }] }", "`certificate` is"),
        ("tls: { certificate: 'a', key: 'b', version: 3 }", "unknown setting `version`"),
        ("redirect: 443, tls: { certificate: 'a', key: 'b' }", "nothing to redirect"),
        ("redirect: 0", "`redirect`"), ("redirect: 'https'", "`redirect`"),
    ])
    func `is refused when it is wrong`(listener: String, problem: String) {
        let loaded = load(whole(listener))
        #expect(loaded.configuration == nil)
        #expect(messages(loaded).contains { $0.contains(problem) }, "\(messages(loaded))")
    }

    @Test func `hides its passphrases`() throws {
        let loaded = load(
            whole("tls: { certificate: 'a', key: 'b', passphrase: 'open sesame' }")
        )
        #expect(!loaded.effective.listing().contains("sesame"))
    }

    @Test func `shows in a plan`() throws {
        let (old, new) = (
            try load(whole("")).checked(),
            try load(whole("tls: { certificate: 'a', key: 'b' }")).checked()
        )
        #expect(
            Plan(from: old, to: new).lines
                == ["listeners: +127.0.0.1:0 tls a, -127.0.0.1:0"]
        )
    }
}

@Suite struct `TLS of a pool` {
    private func tls(_ pool: String, defaults: String = "") throws -> Configuration.UpstreamTLS? {
        let whole = text(top: "defaults: { \(defaults) }", pool: "replicas: [], \(pool)")
        return try load(whole).checked().pools[0].settings.tls
    }

    @Test func `is off until it is there`() throws {
        #expect(try tls("") == nil)
        #expect(try tls("tls: {}") == Configuration.UpstreamTLS())
        #expect(try tls("", defaults: "tls: {}") == Configuration.UpstreamTLS())
    }

    @Test func `is read, and inherited setting by setting`() throws {
        let read = try tls(
            "tls: { serverName: 'a.example', certificate: 'c', key: 'd', passphrase: 'e' }",
            defaults: "tls: { ca: 'f', serverName: 'b.example' }"
        )
        var expected = Configuration.UpstreamTLS()
        expected.serverName = "a.example"
        expected.ca = "f"
        expected.certificate = .init(certificate: "c", key: "d", passphrase: "e")
        #expect(read == expected)
    }

    @Test(arguments: [
        ("tls: { certificate: 'a' }", "`certificate` is of no use alone"),
        ("tls: { key: 'a' }", "`key` is of no use alone"),
        ("tls: { verify: false, ca: 'a' }", "`ca` has no effect"),
        ("tls: { serverName: 'no name' }", "expected a host name or an IP address"),
        ("tls: { serverName: '*.example' }", "expected a host name or an IP address"),
        ("tls: true", "an object"),
    ])
    func `is refused when it is wrong`(pool: String, problem: String) {
        let loaded = load(text(pool: "replicas: [], \(pool)"))
        #expect(messages(loaded).contains { $0.contains(problem) }, "\(messages(loaded))")
    }

    @Test func `shows in a plan`() throws {
        func lines(_ old: String, _ new: String) throws -> [String] {
            let texts = [old, new].map { text(pool: "replicas: [], \($0)") }
            return try Plan(from: load(texts[0]).checked(), to: load(texts[1]).checked()).lines
        }
        #expect(try lines("", "tls: {}") == ["sales: tls on"])
        #expect(try lines("tls: {}", "") == ["sales: tls off"])
        #expect(try lines("tls: {}", "tls: { ca: 'a' }") == ["sales: tls.ca none→a"])
        #expect(
            try lines("tls: {}, timeout: '5s'", "timeout: '6s'") == [
                "sales: timeout 5s→6s, tls off"
            ]
        )
    }
}
