// The settings of a route as plain values, each with its default: which requests it takes,
// where they go and what is changed on the way.

extension Configuration {
    /// A rule from request to pool.
    ///
    /// The most specific one that matches is taken: host, then the
    /// longest path, then the most conditions.
    package struct Route: Sendable, Equatable {
        /// Unique; labels metrics and logs; a file that gives none gets host and path.
        package var name: String

        /// The name of a pool that exists.
        package var pool: String

        /// Which `Host` it takes.
        package var host = HostMatch.any

        /// Which path it takes.
        package var path = PathMatch.prefix("/")

        /// Which methods it takes, upper case; empty: all.
        package var methods: [String] = []

        /// Which fields a request must carry; all of them, sorted by name; at most 16.
        package var headers: [HeaderMatch] = []

        /// What becomes of the matched part of the path.
        package var rewrite = PathRewrite.keep

        /// From arrival to the end; nil: the pool's.
        package var timeout: Duration?

        /// Rank in the queue, −1,000…1,000, higher first; nil: what a trusted caller asks for,
        /// else 0.
        package var priority: Int?

        /// Whether a request may be sent again although its method does not say so
        /// (RFC 9110 §9.2.2).
        package var idempotent = false

        /// Attempts in all, the first included, 1…10; nil: the pool's.
        package var attempts: Int?

        /// The largest request body, in bytes; nil: `limits.bodyBytes`.
        package var bodyBytes: Int?

        /// Protocols a client may switch to, lower case (RFC 9110 §7.8); never `h2c`.
        package var upgrades = ["websocket"]

        /// The fields that tell a client what the gateway did; from a file: what is not said
        /// here is taken from the top.
        package var responseHeaders = ResponseHeaders()

        /// Makes a route that takes everything to one pool.
        package init(name: String, pool: String) {
            self.name = name
            self.pool = pool
        }
    }

    /// Which `Host` a route takes, compared without case and port.
    package enum HostMatch: Hashable, Sendable {
        /// Every host.
        case any
        /// This one; lower case.
        case exact(String)
        /// Every name that ends in `.` and this (lower case), written `*.suffix`.
        case suffix(String)
        /// Every name with one label before `.` and this (lower case); no file can say it, an
        /// Ingress means it by `*.suffix`.
        case label(String)
    }

    /// Which path a route takes, compared byte by byte.
    package enum PathMatch: Hashable, Sendable {
        /// This path and what follows it after a `/`. Without a trailing `/`, except "/" itself.
        case prefix(String)
        /// This path only.
        case exact(String)
        /// Every path that begins with these bytes, written with a trailing `*`.
        case startsWith(String)
    }

    /// A field that a request must carry.
    package struct HeaderMatch: Hashable, Sendable {
        /// Its name, lower case.
        package var name: String

        /// Its whole value; nil: any.
        package var value: String?

        /// Makes it of a name and, if it matters, a value.
        package init(name: String, value: String? = nil) {
            self.name = name
            self.value = value
        }
    }

    /// What becomes of the part of the path that a route matched.
    package enum PathRewrite: Hashable, Sendable {
        /// It goes on unchanged.
        case keep
        /// It is removed; what remains starts with `/`.
        case strip
        /// It is replaced by this, which starts with `/`.
        case replace(String)
    }
}
