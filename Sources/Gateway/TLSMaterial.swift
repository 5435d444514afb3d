// What a configuration's TLS needs besides the configuration: the certificates, keys and
// authorities in its files, read and checked before anything is changed.

package import Configuration
package import Transport

/// Everything that was read from the files of one configuration's TLS.
package struct TLSMaterial: Sendable {
    /// A listener's side, by the listener's place in the configuration; nil: plain HTTP.
    var servers: [TLSServer?] = []
    /// The side towards replicas, by the name of the pool.
    var clients: [String: TLSClient] = [:]
    /// When what is shown to clients expires.
    var expiries: [CertificateExpiry] = []
    /// The certificates that stand in files.
    private(set) var certificates: Set<CertificateIdentity> = []

    /// For a configuration without TLS.
    package static let none = TLSMaterial()

    /// Certificates that expire within this are warned of: 14 days.
    private static let warnSeconds: Int64 = 14 * 86_400

    /// What came of reading the files.
    package struct Loaded: Sendable {
        /// nil: there are problems, and nothing may be changed.
        package var material: TLSMaterial?
        /// Each names the setting, the file and the reason.
        package var problems: [String] = []
        /// Certificates that expire soon.
        package var warnings: [String] = []
    }

    /// Reads every file that the configuration's TLS names; all problems are told at once.
    ///
    /// `tickets` are shared with the material that is in force, so that sessions outlive a reload;
    /// `added` are further certificates of every listener that speaks TLS; `now` is in seconds
    /// since 1970-01-01 UTC. A certificate `inForce` that has expired meanwhile is only warned of:
    /// refusing it would block every other change, and nothing would be the better for it.
    package static func load(
        for configuration: Configuration,
        tickets: TLSTickets,
        adding added: [TLSCertificate] = [],
        inForce: Set<CertificateIdentity> = [],
        at now: Int64
    ) -> Loaded {
        var reading = Reading(now: now, inForce: inForce)
        var material = TLSMaterial()
        for (index, listener) in configuration.listeners.enumerated() {
            let server = listener.tls.flatMap { tls in
                reading.server(
                    tls,
                    of: "\(listener.address)",
                    at: "listeners[\(index)].tls",
                    adding: added,
                    tickets
                )
            }
            material.servers.append(server)
        }
        for pool in configuration.pools {
            guard let tls = pool.settings.tls else { continue }
            material.clients[pool.name] = reading.client(tls, at: "pools.\(pool.name).tls")
        }
        material.expiries = reading.expiries
        material.certificates = reading.certificates
        return Loaded(
            material: reading.problems.isEmpty ? material : nil,
            problems: reading.problems,
            warnings: reading.warnings
        )
    }

    /// Every file that the configuration's TLS names, to be watched.
    package static func files(of configuration: Configuration) -> [String] {
        var files: [String] = []
        for listener in configuration.listeners {
            guard let tls = listener.tls else { continue }
            for pair in tls.certificates { files += [pair.certificate, pair.key] }
            if let authority = tls.clientCA { files.append(authority) }
        }
        for pool in configuration.pools {
            guard let tls = pool.settings.tls else { continue }
            if let pair = tls.certificate { files += [pair.certificate, pair.key] }
            if let authority = tls.ca { files.append(authority) }
        }
        return files
    }

    /// Reads file after file and remembers what was wrong.
    private struct Reading {
        let now: Int64
        let inForce: Set<CertificateIdentity>
        var certificates: Set<CertificateIdentity> = []
        var problems: [String] = []
        var warnings: [String] = []
        var expiries: [CertificateExpiry] = []

        mutating func server(
            _ tls: Configuration.TLS,
            of listener: String,
            at path: String,
            adding added: [TLSCertificate],
            _ tickets: TLSTickets
        ) -> TLSServer? {
            var certificates = tls.certificates.compactMap { certificate($0, at: path) }
            guard certificates.count == tls.certificates.count else { return nil }
            if tls.standard == nil { certificates.insert(contentsOf: own(at: path), at: 0) }
            certificates += added
            expiries += certificates.map {
                CertificateExpiry(listener: listener, name: $0.name, seconds: $0.notAfter)
            }
            var clients: TLSClientAuth?
            if let authority = tls.clientCA {
                clients = TLSClientAuth(
                    authorities: .only(.file(authority)),
                    isRequired: tls.clientAuth == .require
                )
            }
            do throws(TLSError) {
                return try TLSServer(
                    certificates,
                    clients: clients,
                    scope: listener,
                    tickets: tickets
                )
            } catch {
                problems.append("\(path): \(error)")
                return nil
            }
        }

        /// What is shown where no file has anything to show.
        private mutating func own(at path: String) -> [TLSCertificate] {
            do throws(TLSError) {
                return [try TLSCertificate.selfSigned(name: "self-signed", names: ["sluice"])]
            } catch {
                problems.append("\(path): \(error)")
                return []
            }
        }

        mutating func client(_ tls: Configuration.UpstreamTLS, at path: String) -> TLSClient? {
            var own: TLSCertificate?
            if let files = tls.certificate {
                own = certificate(files, at: path)
                guard own != nil else { return nil }
            }
            let authorities = tls.ca.map { TLSAuthorities.only(.file($0)) } ?? .system
            do throws(TLSError) {
                return try TLSClient(
                    authorities: tls.verify ? authorities : nil,
                    certificate: own
                )
            } catch {
                problems.append("\(path): \(error)")
                return nil
            }
        }

        private mutating func certificate(
            _ files: Configuration.CertificateFiles,
            at path: String
        ) -> TLSCertificate? {
            do throws(TLSError) {
                let certificate = try TLSCertificate(
                    certificate: .file(files.certificate),
                    key: .file(files.key),
                    passphrase: files.passphrase
                )
                let identity = CertificateIdentity(
                    file: files.certificate,
                    digest: certificate.digest
                )
                try check(certificate, isInForce: inForce.contains(identity), at: path)
                certificates.insert(identity)
                return certificate
            } catch {
                problems.append("\(path): \(error)")
                return nil
            }
        }

        private mutating func check(
            _ certificate: TLSCertificate,
            isInForce: Bool,
            at path: String
        ) throws(TLSError) {
            do throws(TLSError) {
                try certificate.check(at: now)
            } catch {
                guard isInForce, now > certificate.notAfter else { throw error }
                warnings.append("\(path): \(error), and is in use until its file changes")
                return
            }
            let left = certificate.notAfter - now
            if left < TLSMaterial.warnSeconds {
                let days = left / 86_400
                let time = days == 0 ? "less than a day" : days == 1 ? "1 day" : "\(days) days"
                warnings.append("\(path): \(certificate.name): expires in \(time)")
            }
        }
    }
}

/// A certificate and the file that it stands in.
package struct CertificateIdentity: Sendable, Hashable {
    /// The path of its file.
    let file: String
    /// SHA-256 of the certificate.
    let digest: [UInt8]
}

/// When a certificate that is shown to clients expires.
struct CertificateExpiry: Sendable, Equatable {
    let listener: String
    /// The path of its file.
    let name: String
    /// Since 1970-01-01 UTC.
    let seconds: Int64
}
