// The settings of the Ingress controller as plain values, each with its default.

extension Configuration {
    /// Which Ingresses are served, and where.
    package struct Ingress: Sendable, Equatable {
        /// The IngressClass that is served.
        package var className: String

        /// Namespaces that are watched; empty: all; at most 100.
        package var namespaces: [String] = []

        /// The Service, `namespace/name`, whose addresses are written into the Ingresses' status;
        /// nil: the Service `sluice` in the gateway's own namespace.
        package var publish: String?

        /// Where https is served with the certificates of Secrets; nil: nowhere.
        package var https: Address? = Address(host: "0.0.0.0", port: 8443)

        /// Makes the default for a class.
        package init(className: String) { self.className = className }
    }

    /// Serves the Ingresses of a class, in addition to what is said already.
    package mutating func serveIngress(_ ingress: Ingress) {
        self.ingress = ingress
        guard let https = ingress.https,
            !listeners.contains(where: { $0.address == https })
        else { return }
        listeners.append(Listener(address: https, tls: TLS(nil)))
    }
}
