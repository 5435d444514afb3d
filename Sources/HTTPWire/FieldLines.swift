// Reading field lines byte by byte: the syntax only, resumable at any byte.

/// Splits a field section into lines (RFC 9112 §5).
///
/// Every byte is looked at once, however the section arrives.
///
/// ```
///   line start ──token──▶ name ──:──▶ value ──CR LF──▶ line start
///        └──CR LF──▶ end of the section
/// ```
struct FieldLines {
    /// What one step over the bytes found.
    enum Step {
        /// The bytes ended inside a line.
        case incomplete
        /// The empty line; `cursor` is behind it.
        case end
        case field(Field)
    }

    /// Longest name in bytes; `Field` has 16 bits for it.
    private static let nameBytesMax = 4_096

    /// Offset of the next byte to look at.
    private(set) var cursor: Int
    private var lineStart: Int
    /// Offset of the line's colon, 0 while the name is read; no name is empty, so never 0 after.
    private var colon = 0
    /// The last eight bytes of the name so far, folded.
    private var tail: UInt64 = 0
    private var hasUnderscore = false

    /// Reads from the offset of the first line's first byte.
    init(at start: Int) {
        cursor = start
        lineStart = start
    }

    /// Reads one line of `bytes`, which begin where they did the time before.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>) throws(WireError) -> Step {
        if colon == 0 {
            if cursor == lineStart {
                guard cursor < bytes.count else { return .incomplete }
                if bytes[cursor] == ByteClass.carriageReturn {
                    return try endOfSection(bytes)
                }
            }
            guard try readName(bytes) else { return .incomplete }
        }
        return try readValue(bytes)
    }

    /// The CR that stands where a line would begin.
    private mutating func endOfSection(_ bytes: Span<UInt8>) throws(WireError) -> Step {
        guard cursor + 1 < bytes.count else { return .incomplete }
        guard bytes[cursor + 1] == ByteClass.lineFeed else { throw .badField }
        cursor += 2
        return .end
    }

    /// Reads on to the colon; false when the bytes end before it.
    ///
    /// A blank is no token byte, so a folded line and a blank before the colon both end here
    /// (RFC 9112 §5.1, §5.2).
    @inline(__always)
    private mutating func readName(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        var i = cursor
        var word = tail
        var underscore = hasUnderscore
        while i < bytes.count {
            let byte = bytes[i]
            let folded = ByteClass.foldedToken[Int(byte)]
            if folded == 0 { break }
            word = word << 8 | UInt64(folded)
            underscore = underscore || byte == ByteClass.underscore
            i += 1
        }
        guard i - lineStart <= Self.nameBytesMax else { throw .headTooLarge }
        cursor = i
        tail = word
        hasUnderscore = underscore
        guard i < bytes.count else { return false }
        guard bytes[i] == ByteClass.colon, i > lineStart else { throw .badField }
        colon = i
        cursor = i + 1
        return true
    }

    /// Reads on to the end of the line and makes the field.
    @inline(__always)
    private mutating func readValue(_ bytes: Span<UInt8>) throws(WireError) -> Step {
        let i = bytes.endOfFieldValue(from: cursor)
        cursor = i
        guard i < bytes.count else { return .incomplete }
        // Bare CR, bare LF, NUL and every other control byte end here (RFC 9110 §5.5).
        guard bytes[i] == ByteClass.carriageReturn else { throw .badField }
        guard i + 1 < bytes.count else { return .incomplete }
        guard bytes[i + 1] == ByteClass.lineFeed else { throw .badField }
        let field = makeField(bytes, valueEnd: i)
        cursor = i + 2
        lineStart = i + 2
        colon = 0
        tail = 0
        hasUnderscore = false
        return .field(field)
    }

    @inline(__always)
    private func makeField(_ bytes: Span<UInt8>, valueEnd: Int) -> Field {
        let length = colon - lineStart
        var name = FieldName.classify(bytes, start: lineStart, length: length, tail: tail)
        var isHopByHop = name.isHopByHop
        if hasUnderscore, name == .other {
            // `X_Forwarded_For` and `X-Forwarded-For` are one variable to a CGI or WSGI server:
            // what sluice guards under the one spelling must not pass under the other.
            let meant = FieldName.classifyUnderscored(bytes, start: lineStart, length: length)
            isHopByHop = meant != .other
            name = .other
        }
        return Field(
            name: name,
            nameAt: lineStart..<colon,
            valueAt: bytes.trimmed(colon + 1..<valueEnd),
            isHopByHop: isHopByHop
        )
    }
}
