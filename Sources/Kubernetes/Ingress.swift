// What an Ingress controller reads: Ingresses, their classes, Services, Secrets with certificates.

internal import FoundationEssentials

/// Rules that lead requests from outside to Services (networking.k8s.io/v1).
package struct Ingress: APIObject {
    package static let resource = APIResource(
        group: "networking.k8s.io",
        version: "v1",
        plural: "ingresses",
        kind: "Ingress"
    )

    /// Its name, its annotations.
    package var metadata: ObjectMetadata
    /// What is wanted.
    package var spec: Spec?
    /// What has become of it.
    package var status: Status?

    /// What is wanted.
    package struct Spec: Decodable, Sendable, Equatable {
        /// Whose business it is.
        package var ingressClassName: String?
        /// Who gets what no rule takes.
        package var defaultBackend: Backend?
        /// Which Secrets hold certificates.
        package var tls: [TLS]?
        /// Which requests go where.
        package var rules: [Rule]?
    }

    /// Certificates for hosts.
    package struct TLS: Decodable, Sendable, Equatable {
        /// The hosts; the certificate itself says for which names it is good.
        package var hosts: [String]?
        /// The Secret, in the Ingress's namespace.
        package var secretName: String?
    }

    /// The paths of one host.
    package struct Rule: Decodable, Sendable, Equatable {
        /// A name, `*.name`, or nothing for every host.
        package var host: String?
        /// The paths.
        package var http: Paths?
    }

    /// A list of paths.
    package struct Paths: Decodable, Sendable, Equatable {
        /// The paths.
        package var paths: [Path]?
    }

    /// One path.
    package struct Path: Decodable, Sendable, Equatable {
        /// The path; empty for all.
        package var path: String?
        /// `Exact`, `Prefix` or `ImplementationSpecific`.
        package var pathType: String?
        /// Where it leads.
        package var backend: Backend
    }

    /// Where requests go.
    package struct Backend: Decodable, Sendable, Hashable {
        /// A Service.
        package var service: Service?
        /// Another object, which is not known here.
        package var resource: EndpointSlice.Reference?

        /// A Service and one of its ports.
        package struct Service: Decodable, Sendable, Hashable {
            /// The Service's name, in the Ingress's namespace.
            package var name: String
            /// One of its ports, by name or number.
            package var port: Port?
        }

        /// A port by its name or its number.
        package struct Port: Decodable, Sendable, Hashable {
            /// The name.
            package var name: String?
            /// The number.
            package var number: Int?
        }
    }

    /// What has become of it.
    package struct Status: Decodable, Sendable, Equatable {
        /// Where it can be reached.
        package var loadBalancer: LoadBalancer?
    }
}

/// Where something can be reached from outside.
package struct LoadBalancer: Codable, Sendable, Equatable {
    /// The addresses.
    package var ingress: [Place]?

    /// One address: an IP address or a name.
    package struct Place: Codable, Sendable, Hashable {
        /// An IP address.
        package var ip: String?
        /// A host name.
        package var hostname: String?

        /// Makes it of one of both.
        package init(ip: String? = nil, hostname: String? = nil) {
            self.ip = ip
            self.hostname = hostname
        }
    }
}

/// Who serves the Ingresses of a class (networking.k8s.io/v1).
package struct IngressClass: APIObject {
    package static let resource = APIResource(
        group: "networking.k8s.io",
        version: "v1",
        plural: "ingressclasses",
        kind: "IngressClass"
    )
    /// What a class that is ours names as its controller.
    package static let controller = "sluice.dev/ingress"
    private static let defaultAnnotation = "ingressclass.kubernetes.io/is-default-class"

    /// Its name.
    package var metadata: ObjectMetadata
    /// Who serves it.
    package var spec: Spec?

    /// Who serves it.
    package struct Spec: Decodable, Sendable, Equatable {
        /// The controller's name.
        package var controller: String?
    }

    /// Whether Ingresses that name no class are of this one.
    package var isDefault: Bool { metadata.annotations?[Self.defaultAnnotation] == "true" }
}

/// A name for a set of pods (v1).
package struct Service: APIObject {
    package static let resource = APIResource(
        group: "",
        version: "v1",
        plural: "services",
        kind: "Service"
    )

    /// Its name, its annotations.
    package var metadata: ObjectMetadata
    /// Its ports.
    package var spec: Spec?
    /// Where it can be reached.
    package var status: Ingress.Status?

    /// Its ports.
    package struct Spec: Decodable, Sendable, Equatable {
        /// `ClusterIP`, `NodePort`, `LoadBalancer` or `ExternalName`.
        package var type: String?
        /// The ports.
        package var ports: [Port]?
        /// Addresses given by hand.
        package var externalIPs: [String]?
    }

    /// One port.
    package struct Port: Decodable, Sendable, Equatable {
        /// Its name; nil for the only one.
        package var name: String?
        /// Its number.
        package var port: Int
        /// `TCP`, `UDP` or `SCTP`; nil counts as TCP.
        package var `protocol`: String?
    }
}

/// A certificate with its key (v1, type `kubernetes.io/tls`).
package struct Secret: APIObject {
    package static let resource = APIResource(
        group: "",
        version: "v1",
        plural: "secrets",
        kind: "Secret"
    )
    /// The type of Secrets with certificates, and the only one that is asked for.
    package static let tlsType = "kubernetes.io/tls"

    /// Its name.
    package var metadata: ObjectMetadata
    /// Its type.
    package var type: String?
    /// Its contents, in base 64.
    package var data: [String: String]?

    /// The bytes of one of its members; nil when it has none of that name, or no base 64 there.
    package func bytes(_ name: String) -> [UInt8]? {
        guard let text = data?[name], let bytes = Data(base64Encoded: text), !bytes.isEmpty
        else { return nil }
        return Array(bytes)
    }
}
