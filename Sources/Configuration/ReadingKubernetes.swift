// Reads how the API of Kubernetes is reached.

/// Reads the section `kubernetes` at the top.
func readKubernetesAPI(_ section: Section, _ api: inout Configuration.KubernetesAPI) {
    section.read("api", &api.url, .apiURL, or: "auto")
    section.read("tokenFile", &api.tokenFile, .text("the path of a file"))
    section.read("caFile", &api.authorityFile, .text("the path of a PEM file"))
}

extension Format<String> {
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
