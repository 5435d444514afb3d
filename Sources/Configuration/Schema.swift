// The settings of a gateway as plain values, each with its default: listeners, admin, limits, time.
// The settings of pools and routes stand in SchemaPools.swift and SchemaRoutes.swift.

/// Everything a gateway can be told, checked and with every default filled in.
///
/// A value made by hand starts from the defaults: `var c = Configuration(); c.pools = […]`.
package struct Configuration: Sendable, Equatable {
    /// The addresses clients connect to; a file must name at least one, at most 64.
    package var listeners: [Listener] = []

    /// The address for `/metrics`, `/pools`, `/ready` and the control commands.
    package var admin = Admin()

    /// The pools in the order of the file; names are unique.
    package var pools: [Pool] = []

    /// The routes in the order of the file; the order does not matter for matching.
    package var routes: [Route] = []

    /// How long a client may take.
    package var timeouts = Timeouts()

    /// What one message and the whole process may occupy.
    package var limits = Limits()

    /// The line that is written for each exchange.
    package var accessLog = AccessLog()

    /// Callers whose `X-Forwarded-*` and `X-Sluice-*` fields are believed; at most 256.
    package var trustedProxies: [AddressRange] = []

    /// The fields that tell a client what the gateway did.
    package var responseHeaders = ResponseHeaders()

    /// How the gateway stops.
    package var shutdown = Shutdown()

    /// How the API of Kubernetes is reached, where pools or the ingress ask for it.
    package var kubernetes = KubernetesAPI()

    /// Which Ingresses of Kubernetes are served beside the routes of the file; nil: none.
    package var ingress: Ingress?

    /// The name whose addresses are all gateways of this kind, this one too; nil: there are no
    /// others.
    package var peers: String?

    /// Where Kubernetes' external metrics API is served; nil: nowhere.
    package var externalMetrics: Address?

    /// What a pool that does not come from the file starts from: the section `defaults`.
    package var defaults = PoolSettings()

    /// Event loops, 1…256; nil: one per core.
    package var loops: Int?

    /// Whether a change of the file is taken over without being asked to.
    package var watch = false

    /// Makes a configuration of defaults: no listener, no pool, no route.
    package init() {}
}

extension Configuration {
    /// An address clients connect to.
    package struct Listener: Sendable, Equatable {
        /// An IP address with its port; port 0 lets the system choose.
        package var address: Address

        /// How clients speak TLS; nil: plain HTTP.
        package var tls: TLS?

        /// The port of https to which every request is redirected, 1…65535; nil: requests are
        /// served.
        package var redirect: Int?

        /// Makes a listener; plain HTTP unless `tls` is given.
        package init(address: Address, tls: TLS? = nil) {
            self.address = address
            self.tls = tls
        }
    }

    /// Where the gateway itself is looked at and controlled.
    package struct Admin: Sendable, Equatable {
        /// An IP address with its port; one that is not loopback needs a `token`.
        package var address = Address(host: "127.0.0.1", port: 9900)

        /// What `Authorization: Bearer` must carry; nil: whoever can connect may ask.
        package var token: String?

        /// Makes the default: 127.0.0.1:9900, no token.
        package init() {}
    }

    /// How long a client may take, each 1 ms…24 h.
    package struct Timeouts: Sendable, Equatable {
        /// From the arrival of a connection to the end of its TLS handshake.
        package var handshake: Duration = .seconds(10)

        /// From the first byte of a head to its end; also a connection's first byte.
        package var head: Duration = .seconds(10)

        /// The longest silence inside a request body.
        package var body: Duration = .seconds(60)

        /// The longest time a client takes no byte of an answer.
        package var write: Duration = .seconds(60)

        /// How long a client connection stays open between requests.
        package var keepAlive: Duration = .seconds(75)

        /// The longest silence, both ways, of an upgraded connection.
        package var tunnelIdle: Duration = .seconds(3600)

        /// Makes the defaults.
        package init() {}
    }

    /// What one message and the whole process may occupy; sizes in bytes.
    package struct Limits: Sendable, Equatable {
        /// Client connections at once, 1…1,000,000; nil: what the descriptor limit leaves room for.
        package var connections: Int?

        /// TLS handshakes at once, 1…100,000; further connections wait for their turn.
        package var handshakes = 1000

        /// Memory for bytes on their way, all connections together, 1 MiB…1 TiB.
        package var bufferBytes = 512 << 20

        /// A request target, 8,000 B…64 KiB; beyond it 414 (RFC 9112 §3 asks for 8,000).
        package var targetBytes = 8 << 10

        /// A whole head, 16…96 KiB, since it must fit into one buffer; beyond it 431.
        package var headBytes = 64 << 10

        /// Fields in a head, 16…1,000; beyond it 431.
        package var fields = 128

        /// Trailers of one message, 0…64 KiB.
        package var trailerBytes = 8 << 10

        /// A request body, 0…1 PiB; beyond it 413; a route may set its own.
        package var bodyBytes = 1 << 30

        /// Makes the defaults.
        package init() {}
    }

    /// The line that is written for each exchange.
    package struct AccessLog: Sendable, Equatable {
        /// Whether lines are written to standard output at all.
        package var enabled = true

        /// Whether the target is written with its query, which may hold what is secret.
        package var query = false

        /// Bytes of lines that wait to be written, 64 KiB…1 GiB; what exceeds them is only counted.
        package var bufferBytes = 4 << 20

        /// Makes the defaults.
        package init() {}
    }

    /// The fields of an answer that tell what the gateway did; a route may choose its own.
    package struct ResponseHeaders: Sendable, Equatable {
        /// `Server-Timing`: time in the queue, to connect, to the first byte.
        package var serverTiming = true

        /// `X-Sluice-Replica`: who answered.
        package var replica = true

        /// `X-Sluice-Attempts`: how often it was tried.
        package var attempts = true

        /// `X-Sluice-Reason`: why the gateway answered itself.
        package var reason = true

        /// Makes the default: all are sent.
        package init() {}
    }

    /// How the API of Kubernetes is reached.
    package struct KubernetesAPI: Sendable, Equatable {
        /// `https://host:port`; nil: the variable `SLUICE_KUBERNETES_API`, or else what a pod finds
        /// in its environment.
        package var url: String?

        /// Path of the file with the token; read anew for each request, and sent if it is there.
        package var tokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"

        /// Path of the file with those who may sign the API's certificate, PEM.
        package var authorityFile = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"

        /// Makes the defaults: those of a pod.
        package init() {}
    }

    /// How the gateway stops after SIGTERM.
    package struct Shutdown: Sendable, Equatable {
        /// Serving goes on while `/ready` already answers 503, 0…10 min.
        package var drainDelay: Duration = .seconds(5)

        /// What is in flight has this long to finish, 0…1 h.
        package var grace: Duration = .seconds(20)

        /// Makes the defaults.
        package init() {}
    }
}
