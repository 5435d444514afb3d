// Which field a name is: names sluice acts on, told apart without a string.

/// The fields sluice knows; every other name is `other`.
@usableFromInline
package enum FieldName: UInt8, Sendable, CaseIterable {
    case other
    case host
    case contentLength
    case transferEncoding
    case connection
    case keepAlive
    case proxyConnection
    case te
    case trailer
    case upgrade
    case http2Settings
    case expect
    case via
    case date
    case maxForwards
    case forwarded
    case xForwardedFor
    case xForwardedProto
    case xForwardedHost
    case xForwardedPort
    case xForwardedPrefix
    case xRealIP
    case xRequestID
    case traceparent
    case tracestate
    case xRequestTimeout
    case grpcTimeout
    /// Any name that begins with `X-Sluice-`, but the ones with a case of their own.
    case xSluice
    case xSluicePriority
    /// Any name that is or begins with `X-Client-Cert`, in whole words.
    case xClientCert
    case retryAfter
    case retryAfterMs
    case server
    case serverTiming
    case xAccelBuffering
    case cacheControl
    case contentType
    case contentEncoding
    case contentRange
    case location
    case cookie
    case setCookie
    case authorization
    case wwwAuthenticate
    case proxyAuthorization
    case proxyAuthenticate
    case proxyAuthenticationInfo

    /// The name as sluice writes it; empty for `other`, a prefix for `xSluice` and `xClientCert`.
    ///
    /// Inlinable, since whoever writes a field knows its name: it becomes a literal.
    @inlinable package var spelling: StaticString {
        switch self {
        case .other: ""
        case .host: "Host"
        case .contentLength: "Content-Length"
        case .transferEncoding: "Transfer-Encoding"
        case .connection: "Connection"
        case .keepAlive: "Keep-Alive"
        case .proxyConnection: "Proxy-Connection"
        case .te: "TE"
        case .trailer: "Trailer"
        case .upgrade: "Upgrade"
        case .http2Settings: "HTTP2-Settings"
        case .expect: "Expect"
        case .via: "Via"
        case .date: "Date"
        case .maxForwards: "Max-Forwards"
        case .forwarded: "Forwarded"
        case .xForwardedFor: "X-Forwarded-For"
        case .xForwardedProto: "X-Forwarded-Proto"
        case .xForwardedHost: "X-Forwarded-Host"
        case .xForwardedPort: "X-Forwarded-Port"
        case .xForwardedPrefix: "X-Forwarded-Prefix"
        case .xRealIP: "X-Real-IP"
        case .xRequestID: "X-Request-ID"
        case .traceparent: "traceparent"
        case .tracestate: "tracestate"
        case .xRequestTimeout: "X-Request-Timeout"
        case .grpcTimeout: "grpc-timeout"
        case .xSluice: "X-Sluice-"
        case .xSluicePriority: "X-Sluice-Priority"
        case .xClientCert: "X-Client-Cert-"
        case .retryAfter: "Retry-After"
        case .retryAfterMs: "retry-after-ms"
        case .server: "Server"
        case .serverTiming: "Server-Timing"
        case .xAccelBuffering: "X-Accel-Buffering"
        case .cacheControl: "Cache-Control"
        case .contentType: "Content-Type"
        case .contentEncoding: "Content-Encoding"
        case .contentRange: "Content-Range"
        case .location: "Location"
        case .cookie: "Cookie"
        case .setCookie: "Set-Cookie"
        case .authorization: "Authorization"
        case .wwwAuthenticate: "WWW-Authenticate"
        case .proxyAuthorization: "Proxy-Authorization"
        case .proxyAuthenticate: "Proxy-Authenticate"
        case .proxyAuthenticationInfo: "Proxy-Authentication-Info"
        }
    }
}

/// A set of known field names.
@usableFromInline
package struct FieldNameSet: Sendable, Equatable, ExpressibleByArrayLiteral {
    /// Bit n stands for the name with the raw value n; there are fewer than 64.
    @usableFromInline var bits: UInt64

    /// The set of `names`.
    @inlinable
    package init(arrayLiteral names: FieldName...) {
        bits = 0
        for name in names { insert(name) }
    }

    /// The empty set.
    @inlinable
    package init() {
        bits = 0
    }

    /// Whether `name` is in the set.
    @inlinable
    package func contains(_ name: FieldName) -> Bool {
        bits & (1 &<< UInt64(name.rawValue)) != 0
    }

    /// Adds `name`.
    @inlinable
    package mutating func insert(_ name: FieldName) {
        bits |= 1 &<< UInt64(name.rawValue)
    }

    /// Removes `name`.
    @inlinable
    package mutating func remove(_ name: FieldName) {
        bits &= ~(1 &<< UInt64(name.rawValue))
    }

    /// The names in either set.
    @inlinable
    package func union(_ other: FieldNameSet) -> FieldNameSet {
        var union = self
        union.bits |= other.bits
        return union
    }
}
