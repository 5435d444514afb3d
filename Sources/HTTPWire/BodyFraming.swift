// Where a body ends. This is decided here, for requests and responses, and nowhere else.

/// How the end of a body is known (RFC 9112 §6.3).
@usableFromInline
package enum BodyFraming: Sendable, Equatable {
    /// There is no body.
    case none
    /// The body has exactly this many bytes, at least one and at most `Int.max`.
    case length(UInt64)
    /// The body ends with the last chunk and its trailers.
    case chunked
    /// The body ends with the connection; responses only.
    case untilClose

    /// Whether the body comes in chunks.
    @inlinable package var isChunked: Bool { if case .chunked = self { true } else { false } }

    /// Whether there is no body.
    @inlinable package var isNone: Bool { if case .none = self { true } else { false } }

    /// Whether the body ends with the connection.
    @inlinable package var endsWithConnection: Bool {
        if case .untilClose = self { true } else { false }
    }
}

/// What the framing fields of one head say, gathered line by line.
///
/// Anything that two readers could understand differently is refused where it is met.
struct FramingFields {
    /// The value of Content-Length, nil before one was met.
    private(set) var contentLength: UInt64?
    /// Whether there was a Transfer-Encoding; it was exactly `chunked`.
    private(set) var isChunked = false

    /// Takes one Content-Length line; returns whether it only repeats an earlier one.
    ///
    /// Digits only: no sign, no blank, no list (RFC 9110 §8.6, RFC 9112 §6.3).
    mutating func addContentLength(_ value: Span<UInt8>) throws(WireError) -> Bool {
        guard let length = value.decimal, length <= UInt64(Int.max) else {
            throw .badContentLength
        }
        if isChunked { throw .conflictingFraming }
        guard let earlier = contentLength else {
            contentLength = length
            return false
        }
        guard earlier == length else { throw .badContentLength }
        return true
    }

    /// Takes one Transfer-Encoding line: a single `chunked`, once (RFC 9112 §6.1, §6.3).
    mutating func addTransferEncoding(_ value: Span<UInt8>) throws(WireError) {
        // A second line continues the list, and nothing may follow or precede `chunked`.
        if isChunked { throw .badTransferEncoding }
        guard value.equalsIgnoringCase("chunked") else { throw Self.fault(of: value) }
        if contentLength != nil { throw .conflictingFraming }
        isChunked = true
    }

    /// The framing of a request with these fields (RFC 9112 §6.3).
    func ofRequest(_ version: Version) throws(WireError) -> BodyFraming {
        if isChunked {
            // HTTP/1.0 has no transfer codings: whoever added it framed the body differently.
            guard version == .http11 else { throw .badTransferEncoding }
            return .chunked
        }
        // A request without either field has no body.
        guard let contentLength, contentLength > 0 else { return .none }
        return .length(contentLength)
    }

    /// The framing of the response with this status to a request with this method
    /// (RFC 9112 §6.3, RFC 9110 §6.4.1).
    func ofResponse(
        _ version: Version,
        status: UInt16,
        answering method: Method
    ) throws(WireError) -> BodyFraming {
        if isChunked && version == .http10 { throw .badTransferEncoding }
        if Self.isBodyless(status) || status == 304 || method == .head { return .none }
        if isChunked { return .chunked }
        guard let contentLength else { return .untilClose }
        return contentLength > 0 ? .length(contentLength) : .none
    }

    /// Whether the fields announce a body that a response with this status cannot have: what
    /// follows it on the connection cannot be trusted.
    func contradicts(status: UInt16) -> Bool {
        Self.isBodyless(status) && (isChunked || contentLength ?? 0 > 0)
    }

    /// Whether a response with this status carries neither body nor framing fields
    /// (RFC 9110 §8.6).
    static func isBodyless(_ status: UInt16) -> Bool {
        status < 200 || status == 204
    }

    /// Why a Transfer-Encoding other than `chunked` is refused: 501 only when the body would
    /// end well, in one final `chunked` after other codings (RFC 9112 §6.1).
    private static func fault(of value: Span<UInt8>) -> WireError {
        var cursor = 0
        var codings = 0
        var chunkedCount = 0
        var isChunkedLast = false
        while let element = value.nextListElement(&cursor) {
            let coding = value.extracting(element)
            guard coding.isToken else { return .badTransferEncoding }
            codings += 1
            isChunkedLast = coding.equalsIgnoringCase("chunked")
            if isChunkedLast { chunkedCount += 1 }
        }
        return codings > 1 && chunkedCount == 1 && isChunkedLast
            ? .unknownTransferCoding : .badTransferEncoding
    }
}
