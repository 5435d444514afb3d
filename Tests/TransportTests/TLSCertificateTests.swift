import Certificates
import Foundation
import Testing
import Transport

@Suite struct `TLS certificate` {
    private var authority: TestAuthority {
        get throws { try Signed.authority.get() }
    }

    private func problem(
        _ certificate: String,
        _ key: String,
        passphrase: String? = nil
    ) -> String? {
        do throws(TLSError) {
            _ = try TLSCertificate(
                certificate: .file(certificate),
                key: .file(key),
                passphrase: passphrase
            )
            return nil
        } catch {
            return error.reason
        }
    }

    @Test func `knows its names and its time`() throws {
        let pair = try authority.sign("named", names: ["A.example", "*.b.example", "IP:10.0.0.1"])
        let certificate = try Signed.certificate(pair)
        #expect(certificate.names == ["a.example", "*.b.example"])
        #expect(certificate.name == pair.certificate)
        #expect(abs(certificate.notAfter - certificate.notBefore - 30 * 86_400) < 2)
        #expect(throws: Never.self) { try certificate.check(at: certificate.notAfter - 1) }
    }

    @Test func `has expired, or does not hold yet, and says so`() throws {
        let certificate = try Signed.serverCertificate()
        let late = #expect(throws: TLSError.self) {
            try certificate.check(at: certificate.notAfter + 3 * 86_400)
        }
        #expect(late?.reason == "\(certificate.name): expired 3 days ago")
        let early = #expect(throws: TLSError.self) {
            try certificate.check(at: certificate.notBefore - 86_400)
        }
        #expect(early?.reason == "\(certificate.name): holds only in 1 day")
    }

    @Test func `names the file that cannot be read`() throws {
        let pair = try Signed.server.get()
        #expect(problem("/no/c.pem", pair.key) == "/no/c.pem: No such file or directory")
        #expect(problem(pair.certificate, "/no/k.pem") == "/no/k.pem: No such file or directory")
        let folder = try authority.folder.path
        #expect(problem(folder, pair.key) == "\(folder): Is a directory")
    }

    @Test func `says that key and certificate do not belong together`() throws {
        let pair = try Signed.server.get()
        let other = try Signed.client.get()
        #expect(
            problem(pair.certificate, other.key)
                == "\(other.key): is not the key of the certificate in \(pair.certificate)"
        )
        let rsa = try authority.sign("rsa", bits: 2048)
        #expect(problem(pair.certificate, rsa.key)?.hasPrefix("\(rsa.key): is not the key") == true)
    }

    @Test func `says what a file lacks`() throws {
        let pair = try Signed.server.get()
        #expect(problem(pair.key, pair.key) == "\(pair.key): holds no certificate in PEM")
        #expect(
            problem(pair.certificate, pair.certificate)
                == "\(pair.certificate): holds no private key in PEM"
        )
    }

    @Test func `refuses a certificate that is cut`() throws {
        let pair = try Signed.server.get()
        let whole = try Data(contentsOf: URL(fileURLWithPath: pair.certificate))
        let cut = try authority.path("cut.pem")
        try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: cut))
        #expect(problem(cut, pair.key)?.hasPrefix("\(cut): ") == true)
        // A whole one with a cut one behind it is no chain.
        try (whole + whole.prefix(whole.count / 2)).write(to: URL(fileURLWithPath: cut))
        #expect(problem(cut, pair.key)?.hasPrefix("\(cut): ") == true)
    }

    @Test func `opens a sealed key with its passphrase only`() throws {
        let pair = try Signed.server.get()
        let sealed = try authority.seal(pair.key, with: "open sesame", as: "sealed.key")
        #expect(problem(pair.certificate, sealed, passphrase: "open sesame") == nil)
        #expect(
            problem(pair.certificate, sealed, passphrase: "sesame")
                == "\(sealed): the passphrase is wrong"
        )
        #expect(problem(pair.certificate, sealed) == "\(sealed): needs a passphrase")
    }
}
