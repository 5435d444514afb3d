// Reads how the API of Kubernetes is reached, which Ingresses are served, and where the API of
// external metrics is.

/// Reads the section `kubernetes` at the top.
func readKubernetesAPI(_ section: Section, _ api: inout Configuration.KubernetesAPI) {
    section.read("api", &api.url, .apiURL, or: "auto")
    section.read("tokenFile", &api.tokenFile, .text("the path of a file"))
    section.read("caFile", &api.authorityFile, .text("the path of a PEM file"))
}

/// Reads the section `ingress` at the top; being there, it switches the controller on.
func readIngress(_ top: Section, _ configuration: inout Configuration) {
    guard let item = top.item("ingress") else { return }
    var ingress = Configuration.Ingress(className: "")
    item.section(expected: "an object such as { class: \"sluice\" }") { section in
        ingress.className = section.require("class", .ingressClass) ?? ""
        let namespaces = Format<String>.objectName.list(max: 100, of: "namespaces")
        section.read("namespaces", &ingress.namespaces, namespaces)
        section.read("publish", &ingress.publish, .objectPath, or: "auto")
        section.read("https", &ingress.https, .listener, or: "off")
    }
    configuration.serveIngress(ingress)
}

/// Reads the section `externalMetrics` at the top; being there, it switches the API on unless its
/// address is `none`.
func readExternalMetrics(_ top: Section, _ address: inout Address?) {
    guard let item = top.item("externalMetrics") else { return }
    var wanted: Address? = Address(host: "0.0.0.0", port: 6443)
    item.section { $0.read("address", &wanted, .listener, or: "none") }
    address = wanted
}

/// Whether a text can be the name of an IngressClass (RFC 1123 §2.1).
package func isIngressClass(_ text: String) -> Bool {
    isHostName(text) && !text.contains("_") && text == text.lowercased()
}

extension Format<String> {
    /// The name of an IngressClass.
    fileprivate static var ingressClass: Format {
        text("the name of an IngressClass such as \"sluice\"", max: 253) {
            isIngressClass($0) ? $0 : nil
        }
    }

    /// Namespace and name of an object.
    fileprivate static var objectPath: Format {
        text("a namespace and a name such as \"sluice/sluice\"", max: 127) { text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            return parts.count == 2 && parts.allSatisfy { isObjectName(String($0)) } ? text : nil
        }
    }

    /// A URL with scheme, host and perhaps a port and a path; no query, no user.
    fileprivate static var apiURL: Format {
        text("a URL such as \"https://10.0.0.1:6443\"", max: 1024) { isAPIURL($0) ? $0 : nil }
    }
}

/// Whether a text is `http[s]://host[:port][/path]`.
func isAPIURL(_ text: String) -> Bool {
    let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[0] == "http:" || parts[0] == "https:", parts[1].isEmpty else {
        return false
    }
    if parts.count == 4, !isPath("/" + parts[3]) { return false }
    // A port may be left out.
    let authority = String(parts[2])
    let isBare = !authority.contains(":") || authority.hasSuffix("]")
    // `try?`: what is wrong with it does not matter here.
    let address = try? parseAddress(isBare ? authority + ":443" : authority)
    return address.map { $0.port > 0 } ?? false
}
