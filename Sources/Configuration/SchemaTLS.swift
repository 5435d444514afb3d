// The settings of TLS: what a listener shows and asks for, what a pool's replicas must prove.

extension Configuration {
    /// A certificate and its key, as files.
    package struct CertificateFiles: Sendable, Equatable {
        /// Path of the certificate, and behind it those that lead to its authority, PEM.
        package var certificate: String

        /// Path of the private key, PEM.
        package var key: String

        /// What opens the key when it is sealed; nil: it is not.
        package var passphrase: String?

        /// Makes it of two paths, and a passphrase for the second.
        package init(certificate: String, key: String, passphrase: String? = nil) {
            self.certificate = certificate
            self.key = key
            self.passphrase = passphrase
        }
    }

    /// Whether clients are asked for certificates of their own.
    package enum ClientAuth: String, Sendable, Equatable, CaseIterable {
        /// They are not asked.
        case none
        /// They are asked; one without a certificate is served, one with a bad one is not.
        case request
        /// They are asked, and only those with a good certificate are served.
        case require
    }

    /// How a listener speaks TLS.
    package struct TLS: Sendable, Equatable {
        /// For clients that name nobody, or nobody in `others`; nil: the gateway makes one itself,
        /// which nobody believes.
        package var standard: CertificateFiles?

        /// Further certificates, each for the names in it; at most 1,000.
        package var others: [CertificateFiles] = []

        /// Whether clients are asked for certificates.
        package var clientAuth = ClientAuth.none

        /// Path of the authorities that clients' certificates must lead to, PEM.
        package var clientCA: String?

        /// Makes it of the certificate that is shown by default.
        package init(_ standard: CertificateFiles?) { self.standard = standard }

        /// All certificates that are files, the default's first.
        package var certificates: [CertificateFiles] { [standard].compactMap { $0 } + others }
    }

    /// How a pool's replicas are spoken to in TLS.
    package struct UpstreamTLS: Sendable, Equatable {
        /// The name that replicas must prove to have, DNS or IP; nil: the one they are reached by.
        package var serverName: String?

        /// Path of the authorities that certificates must lead to, PEM; nil: the system's.
        package var ca: String?

        /// What is shown to replicas that ask for it.
        package var certificate: CertificateFiles?

        /// Whether replicas must prove who they are.
        package var verify = true

        /// Makes the default: the system's authorities, the name that replicas are reached by.
        package init() {}
    }
}
