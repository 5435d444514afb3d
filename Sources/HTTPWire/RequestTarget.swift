// The request target: its four forms, and what a host may look like.

/// A request target taken apart (RFC 9112 §3.2).
struct RequestTarget {
    let form: TargetForm
    /// Path without the query; empty when there is none.
    let path: Range<Int>
    /// The host of an absolute or authority form.
    let authority: Range<Int>?

    /// No target yet.
    static let none = RequestTarget(form: .origin, path: 0..<0, authority: nil)

    private init(form: TargetForm, path: Range<Int>, authority: Range<Int>?) {
        self.form = form
        self.path = path
        self.authority = authority
    }

    /// Takes apart the target of `bytes`, whose query begins at `queryMark`, its `?`, or its end.
    init(
        _ bytes: Span<UInt8>,
        target: Range<Int>,
        queryMark: Int,
        method: Method
    ) throws(WireError) {
        guard !target.isEmpty else { throw .badTarget }
        if method == .connect {
            guard bytes.extracting(target).isAuthority(needsPort: true) else { throw .badTarget }
            form = .authority
            path = target.upperBound..<target.upperBound
            authority = target
            return
        }
        if bytes[target.lowerBound] == ByteClass.slash {
            form = .origin
            path = target.lowerBound..<queryMark
            authority = nil
            return
        }
        if target.count == 1, bytes[target.lowerBound] == UInt8(ascii: "*"), method == .options {
            form = .asterisk
            path = target
            authority = nil
            return
        }
        let start = try Self.authorityStart(bytes, target)
        var end = start
        while end < queryMark, bytes[end] != ByteClass.slash { end += 1 }
        // User information is refused with the rest: `@` is in no host (RFC 9110 §4.2.4).
        guard bytes.extracting(start..<end).isAuthority(needsPort: false) else {
            throw .badTarget
        }
        form = .absolute
        path = end..<queryMark
        authority = start..<end
    }

    /// The offset behind `http://` or `https://`.
    private static func authorityStart(
        _ bytes: Span<UInt8>,
        _ target: Range<Int>
    ) throws(WireError) -> Int {
        let start = target.lowerBound
        if target.count > 7, bytes.extracting(start..<start + 7).equalsIgnoringCase("http://") {
            return start + 7
        }
        if target.count > 8, bytes.extracting(start..<start + 8).equalsIgnoringCase("https://") {
            return start + 8
        }
        throw .badTarget
    }
}

extension Span<UInt8> {
    /// Whether the bytes are `host[:port]` with a host that is not empty (RFC 3986 §3.2.2,
    /// RFC 9110 §4.2.1).
    func isAuthority(needsPort: Bool) -> Bool {
        guard let hostEnd = endOfHost(), hostEnd > 0 else { return false }
        guard hostEnd < count else { return !needsPort }
        guard self[hostEnd] == ByteClass.colon else { return false }
        let port = extracting(hostEnd + 1..<count)
        // `host:` without a number is the default port.
        guard !port.isEmpty else { return !needsPort }
        guard port.count <= 5, let number = port.decimal else { return false }
        return number <= 65_535
    }

    /// The offset behind the host that stands at the front, or nil when it is none.
    private func endOfHost() -> Int? {
        var i = 0
        guard count > 0, self[0] == UInt8(ascii: "[") else {
            while i < count, ByteClass.isHost(self[i]) {
                if self[i] == UInt8(ascii: "%") {
                    guard i + 2 < count, ByteClass.hexValue(self[i + 1]) != nil,
                        ByteClass.hexValue(self[i + 2]) != nil
                    else { return nil }
                }
                i += 1
            }
            return i
        }
        i = 1
        while i < count, ByteClass.isAddressLiteral(self[i]) { i += 1 }
        guard i > 1, i < count, self[i] == UInt8(ascii: "]") else { return nil }
        return i + 1
    }
}
