// Kinds of objects as the paths and the permissions of the API name them.

/// A kind of object of the API, and where it is asked for.
package struct APIResource: Hashable, Sendable, CustomStringConvertible {
    /// The API group; empty for the core group.
    package let group: String
    /// The version within the group, such as `v1`.
    package let version: String
    /// The plural, lower case, as paths and roles have it.
    package let plural: String
    /// The kind, as objects and events have it.
    package let kind: String

    /// Makes it of its four names.
    package init(group: String, version: String, plural: String, kind: String) {
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
    }

    /// `discovery.k8s.io/v1`, as objects name where they belong.
    package var apiVersion: String { group.isEmpty ? version : "\(group)/\(version)" }

    /// The path of the collection: of one namespace, or of all.
    package func path(in namespace: String?) -> String {
        let root = group.isEmpty ? "/api/\(version)" : "/apis/\(group)/\(version)"
        guard let namespace else { return "\(root)/\(plural)" }
        return "\(root)/namespaces/\(percentEncoded(namespace))/\(plural)"
    }

    /// `endpointslices.discovery.k8s.io`, as permissions have it.
    package var description: String { group.isEmpty ? plural : "\(plural).\(group)" }
}

/// What a request does, as roles name it.
package enum Verb: String, Sendable {
    /// Reads one object.
    case get
    /// Reads all objects.
    case list
    /// Is told of changes.
    case watch
    /// Makes an object.
    case create
    /// Changes a part of an object.
    case patch
}

/// Which objects of a kind are meant.
package struct ObjectSelection: Hashable, Sendable {
    /// Their namespace; nil: all namespaces, or a kind without any.
    package var namespace: String?
    /// As `labelSelector` has it.
    package var labels: String?
    /// As `fieldSelector` has it.
    package var fields: String?

    /// Makes a selection; without selectors all of the namespace.
    package init(namespace: String? = nil, labels: String? = nil, fields: String? = nil) {
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
    }

    /// The request target for one page of the list; `continuing` comes from the page before.
    package func listTarget(of resource: APIResource, limit: Int, continuing: String?) -> String {
        var parameters = selectors + ["limit=\(limit)"]
        if let continuing { parameters.append("continue=\(percentEncoded(continuing))") }
        return resource.path(in: namespace) + "?" + parameters.joined(separator: "&")
    }

    /// The request target for a watch of what happens after a version, for about so long.
    package func watchTarget(
        of resource: APIResource,
        after resourceVersion: String,
        seconds: Int
    ) -> String {
        let parameters =
            selectors + [
                "watch=true", "allowWatchBookmarks=true",
                "resourceVersion=\(percentEncoded(resourceVersion))", "timeoutSeconds=\(seconds)",
            ]
        return resource.path(in: namespace) + "?" + parameters.joined(separator: "&")
    }

    private var selectors: [String] {
        [("labelSelector", labels), ("fieldSelector", fields)].compactMap { name, value in
            value.map { "\(name)=\(percentEncoded($0))" }
        }
    }
}

/// Writes every byte that is not unreserved as `%41` (RFC 3986 §2.3).
package func percentEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            bytes.append(byte)
        default:
            bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
