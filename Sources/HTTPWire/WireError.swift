// What can be wrong with a message on the wire: the closed list of faults a parser reports.

/// A fault in the bytes of a message, from either side.
///
/// For a request the gateway answers with the status each case names (400 where it names none),
/// for a response always with 502. After any of these the connection it came from is closed
/// (RFC 9112 §9.6, §11.2).
package enum WireError: UInt8, Error, Sendable, CaseIterable {
    /// The first line is not `method SP target SP version CRLF` (RFC 9112 §3).
    case badRequestLine
    /// The method is not a token, or is longer than any method is (RFC 9110 §9.1).
    case badMethod
    /// The target has no form that is valid for the method (RFC 9112 §3.2).
    case badTarget
    /// The target is longer than `Limits.targetBytesMax`: 414 (RFC 9110 §15.5.15).
    case targetTooLong
    /// The major version is not 1: 505 (RFC 9110 §15.6.6).
    case unsupportedVersion
    /// The first bytes are a TLS handshake, sent to a plain listener.
    case looksLikeTLS
    /// The first line of a response is not `version SP status [SP reason] CRLF` (RFC 9112 §4).
    case badStatusLine
    /// A field line is malformed, folded, or holds CR, LF or NUL (RFC 9112 §5, RFC 9110 §5.5).
    case badField
    /// More field lines or connection options than the limits allow: 431 (RFC 6585 §5).
    case tooManyFields
    /// The head is longer than `Limits.headBytesMax`: 431 (RFC 6585 §5).
    case headTooLarge
    /// An HTTP/1.1 request without a Host, or with an empty one (RFC 9112 §3.2).
    case missingHost
    /// More than one Host, or one that is no `host[:port]` (RFC 9112 §3.2).
    case badHost
    /// Content-Length is no number, or is given twice with different values (RFC 9112 §6.3).
    case badContentLength
    /// Transfer-Encoding does not end in its only `chunked`, or came with HTTP/1.0 (RFC 9112 §6.1).
    case badTransferEncoding
    /// A transfer coding besides `chunked`: 501 (RFC 9112 §6.1).
    case unknownTransferCoding
    /// Transfer-Encoding together with Content-Length (RFC 9112 §6.1).
    case conflictingFraming
    /// A chunk's size line or its end is malformed or too long (RFC 9112 §7.1).
    case badChunk
    /// The trailers are malformed (RFC 9112 §7.1.2).
    case badTrailer
    /// The trailers are larger or more than the limits allow: 431 (RFC 6585 §5).
    case trailersTooLarge
    /// A 101 that names no protocol, or does not name it hop by hop (RFC 9110 §15.2.2).
    case badUpgrade
}

extension WireError: CustomStringConvertible {
    /// One phrase for a log line or the `detail` of an answer; says nothing the peer sent.
    package var description: String {
        switch self {
        case .badRequestLine: "malformed request line"
        case .badMethod: "malformed method"
        case .badTarget: "malformed request target, or one the method does not allow"
        case .targetTooLong: "request target too long"
        case .unsupportedVersion: "unsupported HTTP version"
        case .looksLikeTLS: "TLS handshake on a plain HTTP listener"
        case .badStatusLine: "malformed status line"
        case .badField: "malformed field line"
        case .tooManyFields: "too many fields"
        case .headTooLarge: "head too large"
        case .missingHost: "missing Host"
        case .badHost: "malformed or repeated Host"
        case .badContentLength: "malformed or contradictory Content-Length"
        case .badTransferEncoding: "malformed Transfer-Encoding"
        case .unknownTransferCoding: "transfer coding other than chunked"
        case .conflictingFraming: "both Transfer-Encoding and Content-Length"
        case .badChunk: "malformed chunk"
        case .badTrailer: "malformed trailer"
        case .trailersTooLarge: "trailers too large"
        case .badUpgrade: "101 without a matching Upgrade"
        }
    }
}
