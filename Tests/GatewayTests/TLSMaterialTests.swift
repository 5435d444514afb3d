import Certificates
import Configuration
import Foundation
import Testing
import Transport

@testable import Gateway

@Suite struct `TLS material` {
    /// Of each look anew: making certificates may take its time.
    private var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private func load(
        listener: String = "",
        pool: String = "",
        inForce: TLSMaterial? = nil,
        later: Int64 = 0
    ) throws -> TLSMaterial.Loaded {
        var settings = Stage.Settings()
        settings.listener = listener
        settings.pool = pool
        let configuration = try Stage.configuration(settings)
        return TLSMaterial.load(
            for: configuration,
            tickets: TLSTickets(),
            inForce: inForce?.certificates ?? [],
            at: now + later
        )
    }

    @Test func `is nothing without TLS`() throws {
        let loaded = try load()
        #expect(loaded.problems == [] && loaded.warnings == [])
        #expect(loaded.material?.servers.count == 1)
        #expect(loaded.material?.clients.isEmpty == true)
    }

    @Test func `tells all problems with setting, file and reason`() throws {
        let (one, other) = (try Signed.gateway.get(), try Signed.replica.get())
        let expired = try Signed.authority.get().sign("old", days: -1)
        let loaded = try load(
            listener: """
                tls: { certificate: "\(one.certificate)", key: "\(other.key)", certificates: [
                  { \(Signed.files(expired)) }, { certificate: "/no/c.pem", key: "/no/k.pem" } ] }
                """,
            pool: #"tls: { ca: "/no/ca.pem" },"#,
            // Days are counted whole: not at the very second at which one more is over.
            later: 3600
        )
        #expect(loaded.material == nil)
        #expect(
            loaded.problems == [
                "listeners[0].tls: \(other.key): is not the key of the certificate in "
                    + one.certificate,
                "listeners[0].tls: \(expired.certificate): expired 1 day ago",
                "listeners[0].tls: /no/c.pem: No such file or directory",
                "pools.m.tls: /no/ca.pem: No such file or directory",
            ]
        )
    }

    @Test(arguments: [(15, 0), (14, 1), (1, 1)])
    func `warns of what expires within fourteen days`(days: Int64, count: Int) throws {
        let later = (30 - days) * 86_400 + 3600
        let loaded = try load(listener: Signed.listener(), later: later - 7200)
        #expect(loaded.problems == [])
        // Signed for thirty days.
        #expect(loaded.warnings.count == (days == 15 ? 0 : days == 14 ? 0 : 1))
        let sooner = try load(listener: Signed.listener(), later: later)
        #expect(sooner.warnings.count == count)
    }

    @Test func `warns of what has expired while it was in force, on both sides`() throws {
        let listener = try Signed.listener()
        let pool = try Signed.pool(Signed.files(Signed.caller.get()))
        let before = try #require(try load(listener: listener, pool: pool).material)
        let later: Int64 = 31 * 86_400 + 3600
        let after = try load(listener: listener, pool: pool, inForce: before, later: later)
        let files = [try Signed.gateway.get().certificate, try Signed.caller.get().certificate]
        #expect(after.problems == [])
        #expect(
            after.warnings == [
                "listeners[0].tls: \(files[0]): expired 1 day ago, "
                    + "and is in use until its file changes",
                "pools.m.tls: \(files[1]): expired 1 day ago, "
                    + "and is in use until its file changes",
            ]
        )
        // It stays known: the reload after this one is not to fail.
        #expect(after.material?.certificates == before.certificates)
        #expect(after.material?.expiries == before.expiries)
    }

    @Test func `refuses an expired certificate that is not the one in force`() throws {
        let authority = try Signed.authority.get()
        let good = try authority.sign("renewed", names: ["gw.example"])
        let listener = "tls: { \(Signed.files(good)) }"
        let before = try #require(try load(listener: listener).material)
        // The same file, another certificate.
        _ = try authority.sign("renewed", names: ["gw.example"], days: -1)
        let after = try load(listener: listener, inForce: before, later: 3600)
        #expect(after.material == nil)
        #expect(after.problems == ["listeners[0].tls: \(good.certificate): expired 1 day ago"])
    }

    @Test func `has two certificates for one name, and says when each expires`() throws {
        let authority = try Signed.authority.get()
        let rsa = try authority.sign("rsa", names: ["gw.example"], days: 20, bits: 2048)
        let loaded = try load(
            listener: Signed.listener("certificates: [{ \(Signed.files(rsa)) }]")
        )
        #expect(loaded.problems == [] && loaded.warnings == [])
        let names = loaded.material?.expiries.map(\.name)
        #expect(names == [try Signed.gateway.get().certificate, rsa.certificate])
    }

    @Test func `knows when what is shown expires`() throws {
        let loaded = try load(listener: Signed.listener())
        let expiry = try #require(loaded.material?.expiries.first)
        #expect(expiry.listener == "10.0.0.1:8080")
        #expect(expiry.name == (try Signed.gateway.get().certificate))
        #expect(abs(expiry.seconds - now - 30 * 86_400) < 600)
    }

    @Test func `names every file there is to watch`() throws {
        var settings = Stage.Settings()
        settings.listener = """
            tls: { certificate: "a", key: "b", certificates: [{ certificate: "c", key: "d" }],
              clientAuth: "request", clientCA: "e" }
            """
        settings.pool = #"tls: { ca: "f", certificate: "g", key: "h" },"#
        let configuration = try Stage.configuration(settings)
        let files = TLSMaterial.files(of: configuration)
        #expect(files.sorted() == ["a", "b", "c", "d", "e", "f", "g", "h"])
    }
}
