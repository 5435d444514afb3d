// What a request and a response say before their body: plain values over the parsed bytes.

/// A request method as far as sluice tells them apart (RFC 9110 §9).
@usableFromInline
package enum Method: UInt8, Sendable, CaseIterable {
    case get
    case head
    case post
    case put
    case delete
    case options
    case patch
    case trace
    case connect
    /// Any other token; methods are case-sensitive (RFC 9110 §9.1).
    case other

    /// Whether sending it twice does what sending it once does (RFC 9110 §9.2.2).
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .trace: true
        case .post, .patch, .connect, .other: false
        }
    }

    /// Whether it only reads (RFC 9110 §9.2.1).
    package var isSafe: Bool {
        switch self {
        case .get, .head, .options, .trace: true
        case .post, .put, .delete, .patch, .connect, .other: false
        }
    }

    /// Whether Max-Forwards bounds its way (RFC 9110 §7.6.2).
    ///
    /// Inlinable, since `==` is a call through a table in another module.
    @inlinable
    package var countsForwards: Bool {
        switch self {
        case .trace, .options: true
        default: false
        }
    }

    /// The method these bytes spell; `word` holds the last eight of them, the last one lowest.
    init(length: Int, word: UInt64) {
        self =
            switch (length, word) {
            // GET, PUT
            case (3, 0x47_4554): .get
            case (3, 0x50_5554): .put
            // HEAD, POST
            case (4, 0x4845_4144): .head
            case (4, 0x504f_5354): .post
            // PATCH, TRACE
            case (5, 0x50_4154_4348): .patch
            case (5, 0x54_5241_4345): .trace
            // DELETE
            case (6, 0x4445_4c45_5445): .delete
            // OPTIONS, CONNECT
            case (7, 0x4f_5054_494f_4e53): .options
            case (7, 0x43_4f4e_4e45_4354): .connect
            default: .other
            }
    }
}

/// The version of a message; a higher minor version counts as 1.1 (RFC 9110 §2.5).
package enum Version: UInt8, Sendable {
    case http10
    case http11
}

/// The four forms of a request target (RFC 9112 §3.2).
package enum TargetForm: UInt8, Sendable {
    /// `/path?query`
    case origin
    /// `http://host/path?query`
    case absolute
    /// `host:port`, for CONNECT only.
    case authority
    /// `*`, for OPTIONS only.
    case asterisk
}

/// The head of a request; its ranges are offsets into the bytes it was parsed from.
package struct RequestHead: Sendable, Equatable {
    /// The method, when it is a known one.
    package var method: Method
    /// The method's bytes.
    package var methodRange: ByteRange
    /// The whole target as it was sent.
    package var target: ByteRange
    /// The target's form.
    package var targetForm: TargetForm
    /// The path without the query, unmodified; empty for `http://host` and in authority form.
    package var path: ByteRange
    /// What follows the first `?`, nil without one.
    package var query: ByteRange?
    /// The host and port asked for: the target's authority if it has one, else Host.
    ///
    /// Valid `host[:port]`; empty only from HTTP/1.0 (RFC 9112 §3.2.2).
    package var host: ByteRange
    /// The client's version.
    package var version: Version
    /// How long the body is.
    package var framing: BodyFraming
    /// Whether the client wants the connection kept (RFC 9112 §9.3).
    package var keepAlive: Bool
    /// Whether the client waits for a 100 before it sends its body (RFC 9110 §10.1.1).
    package var expectsContinue: Bool
    /// Whether Expect asks for anything else, which is answered with 417 (RFC 9110 §10.1.1).
    package var hasUnknownExpectation: Bool
    /// The value of the first Upgrade, when Connection names it and the version is 1.1
    /// (RFC 9110 §7.8).
    package var upgrade: ByteRange?
    /// Bytes the head takes, with the empty lines before it.
    package var headLength: Int
    /// The known names among its fields.
    package var sawFields: FieldNameSet
}

/// The head of a response; its ranges are offsets into the bytes it was parsed from.
package struct ResponseHead: Sendable, Equatable {
    /// The status, 100...599.
    package var status: UInt16
    /// The reason phrase; may be empty (RFC 9112 §4).
    package var reason: ByteRange
    /// The replica's version.
    package var version: Version
    /// How long the body is.
    package var framing: BodyFraming
    /// Whether the connection may serve another request after this response (RFC 9112 §9.3).
    package var keepAlive: Bool
    /// The value of Upgrade in a 101; nil for every other status (RFC 9110 §7.8).
    package var upgrade: ByteRange?
    /// Bytes the head takes.
    package var headLength: Int
    /// The known names among its fields.
    package var sawFields: FieldNameSet
    /// Whether the body is `text/event-stream`.
    package var isEventStream: Bool

    /// Whether another head follows: any 1xx but 101 (RFC 9110 §15.2).
    package var isInformational: Bool {
        status < 200 && status != 101
    }
}
