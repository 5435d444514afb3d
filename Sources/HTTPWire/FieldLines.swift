// Reading field lines byte by byte: the syntax only, resumable at any byte.

/// Splits a field section into lines (RFC 9112 §5).
///
/// Every byte of a line that arrives in pieces is looked at once. Of a name that is there as far
/// as its colon, only whether it is a known one, since those are tokens all: see `readKnownName`.
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
    /// What the name is, once the colon was read.
    private var name = FieldName.other
    private var isHopByHop = false

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
            if cursor > lineStart || !readKnownName(bytes) {
                guard try readName(bytes) else { return .incomplete }
            }
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
    private mutating func readName(_ bytes: Span<UInt8>) throws(WireError) -> Bool {
        var i = cursor
        while i < bytes.count, ByteClass.isToken(bytes[i]) { i += 1 }
        guard i - lineStart <= Self.nameBytesMax else { throw .headTooLarge }
        cursor = i
        guard i < bytes.count else { return false }
        guard bytes[i] == ByteClass.colon, i > lineStart else { throw .badField }
        colon = i
        cursor = i + 1
        name = FieldName.classify(bytes, start: lineStart, length: i - lineStart)
        isHopByHop = name.isHopByHop
        if name == .other { checkUnderscores(bytes) }
        return true
    }

    /// Reads a known name and its colon, if that is what the line begins with.
    @inline(__always)
    private mutating func readKnownName(_ bytes: Span<UInt8>) -> Bool {
        guard let end = bytes.firstColon(from: lineStart) else { return false }
        let known = FieldName.classifyExactly(bytes, start: lineStart, length: end - lineStart)
        guard known != .other else { return false }
        colon = end
        cursor = end + 1
        name = known
        isHopByHop = known.isHopByHop
        return true
    }

    /// `X_Forwarded_For` and `X-Forwarded-For` are one variable to a CGI or WSGI server: what
    /// sluice guards under the one spelling must not pass under the other.
    private mutating func checkUnderscores(_ bytes: Span<UInt8>) {
        let length = colon - lineStart
        for i in lineStart..<colon where bytes[i] == ByteClass.underscore {
            let meant = FieldName.classifyUnderscored(bytes, start: lineStart, length: length)
            isHopByHop = meant != .other
            return
        }
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
        let field = Field(
            name: name,
            nameAt: lineStart..<colon,
            valueAt: bytes.trimmed(colon + 1..<i),
            isHopByHop: isHopByHop
        )
        cursor = i + 2
        lineStart = i + 2
        colon = 0
        return .field(field)
    }
}
