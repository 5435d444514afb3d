// Telling a field name's bytes apart: by length, then by words of eight bytes, never by a string.

/// A known name that has the right length and the right last eight bytes.
private struct Candidate {
    let name: FieldName
    /// The name's first eight bytes, folded; unused for names of at most eight.
    let head: UInt64
    /// Its next eight bytes, folded; unused for names of at most sixteen.
    let middle: UInt64

    init(_ name: FieldName, _ head: UInt64 = 0, _ middle: UInt64 = 0) {
        self.name = name
        self.head = head
        self.middle = middle
    }
}

extension FieldName {
    /// The name that `bytes[start..<start + length]` spells, in any case; only token bytes.
    @inline(never)
    static func classify(_ bytes: Span<UInt8>, start: Int, length: Int) -> FieldName {
        let name = classifyExactly(bytes, start: start, length: length)
        return name == .other ? prefixed(bytes, start: start, length: length) : name
    }

    /// The name that a whole token spells, for tokens met outside a field line.
    static func classify(_ token: Span<UInt8>) -> FieldName {
        classify(token, start: 0, length: token.count)
    }

    /// The name that these bytes, of any kind, spell from the first to the last.
    @inline(__always)
    static func classifyExactly(_ bytes: Span<UInt8>, start: Int, length: Int) -> FieldName {
        let tail = foldedTail(bytes, start: start, length: length)
        let candidate: Candidate?
        switch length {
        case ...8: return short(length: length, tail: tail)
        case 9...12: candidate = medium(length: length, tail: tail)
        case 13...16: candidate = long(length: length, tail: tail)
        default: candidate = longest(length: length, tail: tail)
        }
        guard let candidate, foldedWord(bytes, at: start) == candidate.head else { return .other }
        guard length > 16 else { return candidate.name }
        guard foldedWord(bytes, at: start + 8) == candidate.middle else { return .other }
        // Of the 25 bytes of the longest name one stands between the words: the `t`.
        guard length < 25 || bytes[start + 16] | 0x20 == UInt8(ascii: "t") else { return .other }
        return candidate.name
    }

    /// The name these bytes would spell to a server that takes `_` for `-`, as CGI and WSGI do.
    static func classifyUnderscored(
        _ bytes: Span<UInt8>,
        start: Int,
        length: Int
    ) -> FieldName {
        var hyphenated = InlineArray<32, UInt8>(repeating: 0)
        guard length <= 32 else {
            // Longer than any exact name: only the prefix counts.
            for i in 0..<32 { hyphenated[i] = hyphenForUnderscore(bytes[start + i]) }
            return prefixed(hyphenated.span, start: 0, length: 32)
        }
        for i in 0..<length { hyphenated[i] = hyphenForUnderscore(bytes[start + i]) }
        return classify(hyphenated.span.extracting(0..<length))
    }

    /// `xSluice` or `xClientCert` when the name begins as these do, else `other`.
    private static func prefixed(_ bytes: Span<UInt8>, start: Int, length: Int) -> FieldName {
        guard length > 8, bytes[start] | 0x20 == UInt8(ascii: "x") else { return .other }
        switch foldedWord(bytes, at: start) {
        // x-sluice
        case 0x782d_736c_7569_6365:
            return bytes[start + 8] == UInt8(ascii: "-") ? .xSluice : .other
        // x-client, and behind it -cert
        case 0x782d_636c_6965_6e74 where length >= 13:
            // ent-cert
            let isRest = foldedWord(bytes, at: start + 5) == 0x656e_742d_6365_7274
            let isWord = length == 13 || bytes[start + 13] == UInt8(ascii: "-")
            return isRest && isWord ? .xClientCert : .other
        default: return .other
        }
    }

    /// The last eight of these bytes, or all, if fewer, folded to lower case, the last one lowest.
    @inline(__always)
    private static func foldedTail(_ bytes: Span<UInt8>, start: Int, length: Int) -> UInt64 {
        let end = start + length
        guard end >= 8 else {
            var tail: UInt64 = 0
            for i in start..<end { tail = tail << 8 | UInt64(ByteClass.foldedToken[Int(bytes[i])]) }
            return tail
        }
        let word = foldedWord(bytes, at: end - 8)
        return length < 8 ? word & (.max >> UInt64(64 - 8 * length)) : word
    }

    /// Eight bytes from `start` on, folded to lower case, the first one highest.
    @inline(__always)
    private static func foldedWord(_ bytes: Span<UInt8>, at start: Int) -> UInt64 {
        // Only letters change: A to Z lie 0x20 below a to z. Of a byte beyond ASCII the highest
        // bit stays, so that it is like no letter.
        let word = bytes.word(at: start).byteSwapped
        let seven = word & 0x7f7f_7f7f_7f7f_7f7f
        let fromA = seven &+ 0x3f3f_3f3f_3f3f_3f3f
        let beyondZ = seven &+ 0x2525_2525_2525_2525
        return word | (fromA & ~beyondZ & 0x8080_8080_8080_8080) >> 2
    }

    private static func hyphenForUnderscore(_ byte: UInt8) -> UInt8 {
        byte == ByteClass.underscore ? UInt8(ascii: "-") : byte
    }

    private static func short(length: Int, tail: UInt64) -> FieldName {
        switch (length, tail) {
        // TE
        case (2, 0x7465): .te
        // Via
        case (3, 0x766961): .via
        // Host
        case (4, 0x686f7374): .host
        // Date
        case (4, 0x64617465): .date
        // Expect
        case (6, 0x657870656374): .expect
        // Server
        case (6, 0x736572766572): .server
        // Cookie
        case (6, 0x636f6f6b6965): .cookie
        // Trailer
        case (7, 0x747261696c6572): .trailer
        // Upgrade
        case (7, 0x75706772616465): .upgrade
        // Location
        case (8, 0x6c6f_6361_7469_6f6e): .location
        default: .other
        }
    }

    private static func medium(length: Int, tail: UInt64) -> Candidate? {
        switch (length, tail) {
        // Forwarded
        case (9, 0x6f72_7761_7264_6564):
            Candidate(.forwarded, 0x666f_7277_6172_6465)
        // X-Real-IP
        case (9, 0x2d72_6561_6c2d_6970):
            Candidate(.xRealIP, 0x782d_7265_616c_2d69)
        // Connection
        case (10, 0x6e6e_6563_7469_6f6e):
            Candidate(.connection, 0x636f_6e6e_6563_7469)
        // Keep-Alive
        case (10, 0x6570_2d61_6c69_7665):
            Candidate(.keepAlive, 0x6b65_6570_2d61_6c69)
        // tracestate
        case (10, 0x6163_6573_7461_7465):
            Candidate(.tracestate, 0x7472_6163_6573_7461)
        // Set-Cookie
        case (10, 0x742d_636f_6f6b_6965):
            Candidate(.setCookie, 0x7365_742d_636f_6f6b)
        // traceparent
        case (11, 0x6365_7061_7265_6e74):
            Candidate(.traceparent, 0x7472_6163_6570_6172)
        // Retry-After
        case (11, 0x7279_2d61_6674_6572):
            Candidate(.retryAfter, 0x7265_7472_792d_6166)
        // Max-Forwards
        case (12, 0x666f_7277_6172_6473):
            Candidate(.maxForwards, 0x6d61_782d_666f_7277)
        // X-Request-ID
        case (12, 0x7175_6573_742d_6964):
            Candidate(.xRequestID, 0x782d_7265_7175_6573)
        // grpc-timeout
        case (12, 0x2d74_696d_656f_7574):
            Candidate(.grpcTimeout, 0x6772_7063_2d74_696d)
        // Content-Type
        case (12, 0x656e_742d_7479_7065):
            Candidate(.contentType, 0x636f_6e74_656e_742d)
        default: nil
        }
    }

    private static func long(length: Int, tail: UInt64) -> Candidate? {
        switch (length, tail) {
        // Server-Timing
        case (13, 0x722d_7469_6d69_6e67):
            Candidate(.serverTiming, 0x7365_7276_6572_2d74)
        // Cache-Control
        case (13, 0x2d63_6f6e_7472_6f6c):
            Candidate(.cacheControl, 0x6361_6368_652d_636f)
        // Content-Range
        case (13, 0x6e74_2d72_616e_6765):
            Candidate(.contentRange, 0x636f_6e74_656e_742d)
        // Authorization
        case (13, 0x7269_7a61_7469_6f6e):
            Candidate(.authorization, 0x6175_7468_6f72_697a)
        // Content-Length
        case (14, 0x742d_6c65_6e67_7468):
            Candidate(.contentLength, 0x636f_6e74_656e_742d)
        // HTTP2-Settings
        case (14, 0x7365_7474_696e_6773):
            Candidate(.http2Settings, 0x6874_7470_322d_7365)
        // retry-after-ms
        case (14, 0x6166_7465_722d_6d73):
            Candidate(.retryAfterMs, 0x7265_7472_792d_6166)
        // X-Forwarded-For
        case (15, 0x7264_6564_2d66_6f72):
            Candidate(.xForwardedFor, 0x782d_666f_7277_6172)
        // Proxy-Connection
        case (16, 0x6e6e_6563_7469_6f6e):
            Candidate(.proxyConnection, 0x7072_6f78_792d_636f)
        // X-Forwarded-Host
        case (16, 0x6465_642d_686f_7374):
            Candidate(.xForwardedHost, 0x782d_666f_7277_6172)
        // X-Forwarded-Port
        case (16, 0x6465_642d_706f_7274):
            Candidate(.xForwardedPort, 0x782d_666f_7277_6172)
        // Content-Encoding
        case (16, 0x656e_636f_6469_6e67):
            Candidate(.contentEncoding, 0x636f_6e74_656e_742d)
        // WWW-Authenticate
        case (16, 0x656e_7469_6361_7465):
            Candidate(.wwwAuthenticate, 0x7777_772d_6175_7468)
        default: nil
        }
    }

    private static func longest(length: Int, tail: UInt64) -> Candidate? {
        switch (length, tail) {
        // Transfer-Encoding
        case (17, 0x656e_636f_6469_6e67):
            Candidate(.transferEncoding, 0x7472_616e_7366_6572, 0x2d65_6e63_6f64_696e)
        // X-Forwarded-Proto
        case (17, 0x6564_2d70_726f_746f):
            Candidate(.xForwardedProto, 0x782d_666f_7277_6172, 0x6465_642d_7072_6f74)
        // X-Request-Timeout
        case (17, 0x2d74_696d_656f_7574):
            Candidate(.xRequestTimeout, 0x782d_7265_7175_6573, 0x742d_7469_6d65_6f75)
        // X-Sluice-Priority
        case (17, 0x7072_696f_7269_7479):
            Candidate(.xSluicePriority, 0x782d_736c_7569_6365, 0x2d70_7269_6f72_6974)
        // X-Accel-Buffering
        case (17, 0x7566_6665_7269_6e67):
            Candidate(.xAccelBuffering, 0x782d_6163_6365_6c2d, 0x6275_6666_6572_696e)
        // X-Forwarded-Prefix
        case (18, 0x642d_7072_6566_6978):
            Candidate(.xForwardedPrefix, 0x782d_666f_7277_6172, 0x6465_642d_7072_6566)
        // Proxy-Authenticate
        case (18, 0x656e_7469_6361_7465):
            Candidate(.proxyAuthenticate, 0x7072_6f78_792d_6175, 0x7468_656e_7469_6361)
        // Proxy-Authorization
        case (19, 0x7269_7a61_7469_6f6e):
            Candidate(.proxyAuthorization, 0x7072_6f78_792d_6175, 0x7468_6f72_697a_6174)
        // Proxy-Authentication-Info
        case (25, 0x696f_6e2d_696e_666f):
            Candidate(.proxyAuthenticationInfo, 0x7072_6f78_792d_6175, 0x7468_656e_7469_6361)
        default: nil
        }
    }
}
