// Where the API is, from a URL or from what every pod finds in its environment.

/// Where the API listens.
package struct APIAddress: Sendable, Hashable, CustomStringConvertible {
    /// Whether it speaks TLS.
    package var isSecure: Bool
    /// A name or a numeric address, without brackets.
    package var host: String
    /// 1…65535.
    package var port: UInt16
    /// What stands before every path; empty or `/…` without a trailing `/`.
    package var prefix: String

    /// Reads `https://host[:port][/prefix]`; nil for anything else.
    package init?(url: String) {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[1].isEmpty, parts[0] == "http:" || parts[0] == "https:"
        else { return nil }
        isSecure = parts[0] == "https:"
        let standard: UInt16 = isSecure ? 443 : 80
        guard let (host, port) = Self.split(parts[2], standard: standard) else { return nil }
        self.host = host
        self.port = port
        var path = parts.count == 4 ? parts[3] : ""
        while path.last == "/" { path.removeLast() }
        let isPlain = path.utf8.allSatisfy {
            (0x21...0x7e).contains($0) && $0 != 0x3f && $0 != 0x23
        }
        guard isPlain else { return nil }
        prefix = path.isEmpty ? "" : "/\(path)"
    }

    /// What the environment of a pod says: `KUBERNETES_SERVICE_HOST` and `…_PORT`.
    ///
    /// nil outside of a pod.
    package init?(environment: [String: String]) {
        guard let host = environment["KUBERNETES_SERVICE_HOST"], !host.isEmpty else { return nil }
        let port = environment["KUBERNETES_SERVICE_PORT"].flatMap { UInt16($0) } ?? 443
        guard port > 0 else { return nil }
        isSecure = true
        self.host = host
        self.port = port
        prefix = ""
    }

    private static func split(_ text: Substring, standard: UInt16) -> (String, UInt16)? {
        var host = text
        var port = standard
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            if !rest.isEmpty {
                guard rest.hasPrefix(":"), let number = UInt16(rest.dropFirst()) else { return nil }
                port = number
            }
        } else if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            port = number
        }
        let isName = host.utf8.allSatisfy {
            (0x21...0x7e).contains($0) && $0 != 0x40 && $0 != 0x2f
        }
        guard !host.isEmpty, isName, port > 0 else { return nil }
        return (String(host), port)
    }

    /// The value of `Host` (RFC 9110 §7.2).
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    package var description: String {
        "\(isSecure ? "https" : "http")://\(authority)\(prefix)"
    }
}

/// The files that a pod is given to prove who it is.
package enum ServiceAccount {
    /// The token; replaced while the pod runs.
    package static let tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
    /// Who has signed the API's certificate.
    package static let authorityFile = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
    /// The pod's own namespace.
    package static let namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
    /// A longer token is none: 64 KiB would not fit into a head.
    package static let tokenBytesMax = 16 << 10

    /// The token in a file: without the blanks around it; nil when there is none, or when it
    /// cannot stand in a field (RFC 9110 §5.5).
    package static func token(in bytes: [UInt8]) -> String? {
        guard bytes.count <= tokenBytesMax else { return nil }
        let isBlank: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0d).contains($0) }
        let trimmed = bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
        guard !trimmed.isEmpty, trimmed.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            return nil
        }
        return String(decoding: trimmed, as: UTF8.self)
    }
}
