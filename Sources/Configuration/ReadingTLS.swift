// Reads the settings of TLS, for listeners and for pools.

/// Certificates of one listener beside the default one.
private let certificatesMax = 1000

private let pemFile = "the path of a PEM file"

/// Reads how a listener speaks TLS; nil when it does not, or not rightly.
func readTLS(_ section: Section) -> Configuration.TLS? {
    guard let item = section.item("tls") else { return nil }
    var tls: Configuration.TLS?
    item.section { inner in
        let standard = readRequiredFiles(inner)
        var rest = Configuration.TLS(
            standard ?? Configuration.CertificateFiles(certificate: "", key: "")
        )
        if let list = inner.item("certificates") {
            let expected = "a list such as [{ certificate: \"b.pem\", key: \"b.key\" }]"
            for element in list.elements(max: certificatesMax, expected: expected) ?? [] {
                element.section { section in
                    if let files = readRequiredFiles(section) { rest.others.append(files) }
                }
            }
            if rest.others.isEmpty { inner.recordEmpty("certificates", .list([])) }
        }
        let auth = Configuration.ClientAuth.allCases.map { (word: $0.rawValue, value: $0) }
        inner.read("clientAuth", &rest.clientAuth, .choice(auth))
        inner.read("clientCA", optional: &rest.clientCA, .text(pemFile))
        if rest.clientAuth != .none, rest.clientCA == nil {
            inner.reader.report(
                "`clientAuth` needs `clientCA`",
                at: inner.path,
                hint: "the authorities whose clients are let in: clientCA: \"clients.pem\""
            )
        } else if rest.clientAuth == .none, rest.clientCA != nil {
            inner.reader.report(
                "`clientCA` has no effect without `clientAuth`",
                at: inner.path + [.key("clientCA")],
                hint: "clientAuth: \"require\", or \"request\""
            )
        }
        if standard != nil { tls = rest }
    }
    return tls
}

private func readRequiredFiles(_ section: Section) -> Configuration.CertificateFiles? {
    let certificate = section.require("certificate", .text(pemFile))
    let key = section.require("key", .text(pemFile))
    var passphrase: String?
    section.read("passphrase", &passphrase, .passphrase, or: "none", shown: .hidden)
    guard let certificate, let key else { return nil }
    return Configuration.CertificateFiles(
        certificate: certificate,
        key: key,
        passphrase: passphrase
    )
}

/// Reads how a pool's replicas are spoken to; being there, even empty, it switches TLS on.
func readUpstreamTLS(_ section: Section, _ tls: inout Configuration.UpstreamTLS?) {
    let isThere = section.item("tls") != nil
    guard isThere || tls != nil else { return }
    var read = tls ?? Configuration.UpstreamTLS()
    section.section("tls") { inner in
        inner.read("serverName", optional: &read.serverName, .serverName)
        inner.read("ca", optional: &read.ca, .text(pemFile))
        inner.read("verify", &read.verify, .flag)
        var certificate = read.certificate?.certificate
        var key = read.certificate?.key
        var passphrase = read.certificate?.passphrase
        inner.read("certificate", optional: &certificate, .text(pemFile))
        inner.read("key", optional: &key, .text(pemFile))
        inner.read("passphrase", &passphrase, .passphrase, or: "none", shown: .hidden)
        switch (certificate, key) {
        case (let certificate?, let key?):
            read.certificate = Configuration.CertificateFiles(
                certificate: certificate,
                key: key,
                passphrase: passphrase
            )
        case (nil, nil):
            read.certificate = nil
        default:
            inner.reader.report(
                "`\(key == nil ? "certificate" : "key")` is of no use alone",
                at: inner.path,
                hint: "a certificate and its key belong together"
            )
        }
        if !read.verify, read.ca != nil {
            inner.reader.report(
                "`ca` has no effect with `verify: false`",
                at: inner.path + [.key("ca")]
            )
        }
    }
    tls = read
}

extension Format<String> {
    /// What opens a key.
    fileprivate static var passphrase: Format { .text("the passphrase of the key", max: 1024) }

    /// A name that a server can prove to have.
    fileprivate static var serverName: Format {
        .text("a host name or an IP address", max: 253) { text in
            isHostName(text) || parseIP(text) != nil ? text : nil
        }
    }
}
