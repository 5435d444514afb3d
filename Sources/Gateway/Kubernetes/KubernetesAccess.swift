// How the gateway reaches the API of the Kubernetes it runs in, or beside.

internal import Configuration
package import Kubernetes
internal import Synchronization
internal import Transport

/// Where the API is, and who the gateway is there.
package struct KubernetesAccess: Sendable {
    /// Where it listens.
    package var address: APIAddress
    /// The token, read anew for each request, since it is replaced while the gateway runs; nil:
    /// the gateway is nobody in particular.
    package var token: @Sendable () -> String?
    /// Who has signed the API's certificate, PEM; nil: the system's authorities.
    package var authorities: @Sendable () -> [UInt8]?

    /// Makes it of its parts.
    package init(
        address: APIAddress,
        token: @escaping @Sendable () -> String? = { nil },
        authorities: @escaping @Sendable () -> [UInt8]? = { nil }
    ) {
        self.address = address
        self.token = token
        self.authorities = authorities
    }
}

/// How the gateway looks at the machine it runs on.
package struct Machine: Sendable {
    /// The variables of the process.
    package var environment: [String: String]
    /// A file's bytes; nil when it cannot be read, or is longer than so many bytes.
    package var readFile: @Sendable (_ path: String, _ bytesMax: Int) -> [UInt8]?

    /// A machine as it is described; without files and variables if nothing is said.
    package init(
        environment: [String: String] = [:],
        readFile: @escaping @Sendable (String, Int) -> [UInt8]? = { _, _ in nil }
    ) {
        self.environment = environment
        self.readFile = readFile
    }

    /// The longest file with certificates that is read.
    static let authoritiesBytesMax = 1 << 20

    /// The API as the settings say, or else the environment; nil when neither does.
    func access(_ settings: Configuration.KubernetesAPI) -> KubernetesAccess? {
        let address: APIAddress?
        if let url = settings.url ?? environment["SLUICE_KUBERNETES_API"] {
            address = APIAddress(url: url)
        } else {
            address = APIAddress(environment: environment)
        }
        guard let address else { return nil }
        let readFile = self.readFile
        return KubernetesAccess(
            address: address,
            token: {
                readFile(settings.tokenFile, ServiceAccount.tokenBytesMax)
                    .flatMap { ServiceAccount.token(in: $0) }
            },
            authorities: { readFile(settings.authorityFile, Machine.authoritiesBytesMax) }
        )
    }

    /// The namespace of the pod that the gateway runs in; nil outside of one.
    var ownNamespace: String? {
        guard let bytes = readFile(ServiceAccount.namespaceFile, 256) else { return nil }
        let name = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
        return name.isEmpty ? nil : name
    }
}

extension Gateway {
    /// How the API is reached by the settings in force; nil when nobody says where it is.
    var kubernetesAccess: KubernetesAccess? { machine.access(configuration.kubernetes) }
}
