import Testing

@testable import Transport

@Suite struct `Certificates of our own` {
    @Test func `are good for their names, for years`() throws {
        let certificate = try TLSCertificate.selfSigned(
            name: "own",
            names: ["sluice", "*.example.com"]
        )
        #expect(certificate.name == "own")
        #expect(certificate.names.sorted() == ["*.example.com", "sluice"])
        let years = (certificate.notAfter - certificate.notBefore) / (365 * 86_400)
        #expect(years == 10)
        let now = certificate.notBefore + 3600
        try certificate.check(at: now)
        #expect(throws: TLSError.self) { try certificate.check(at: certificate.notAfter + 1) }
    }

    @Test func `are new each time, and serve`() throws {
        let one = try TLSCertificate.selfSigned(name: "own", names: ["sluice"])
        let other = try TLSCertificate.selfSigned(name: "own", names: ["sluice"])
        #expect(one !== other)
        #expect(throws: Never.self) { try TLSServer([one, other], tickets: TLSTickets()) }
    }

    @Test func `need a name`() {
        #expect(throws: TLSError.self) {
            _ = try TLSCertificate.selfSigned(name: "own", names: [])
        }
    }
}
