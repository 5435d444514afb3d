// Reading field lines byte by byte: the syntax only, resumable at any byte.

/// Splits a field section into lines (RFC 9112 §5).
///
/// A line that is there as a whole is read as a whole: see `readWhole`. Every byte of one that
/// arrives in pieces is looked at once more at most.
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
        /// A line was read to its end.
        case field
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

    /// Reads one line of `bytes`, which begin where they did the time before, into `field`.
    @inline(__always)
    mutating func next(_ bytes: Span<UInt8>, into field: inout Field) throws(WireError) -> Step {
        if colon == 0, cursor == lineStart {
            guard cursor < bytes.count else { return .incomplete }
            if bytes[cursor] == ByteClass.carriageReturn { return try endOfSection(bytes) }
            if readWhole(bytes, into: &field) { return .field }
        }
        return try readParts(bytes, into: &field)
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

    /// Reads a line that is there from its first byte to its last, as nearly all are; false when it
    /// is not, or when anything about it is unusual: then it is read part by part.
    @inline(__always)
    private mutating func readWhole(_ bytes: Span<UInt8>, into field: inout Field) -> Bool {
        let start = lineStart
        guard let colon = bytes.firstColon(from: start), colon > start else { return false }
        let end = bytes.endOfFieldValue(from: colon + 1)
        guard end < bytes.count - 1, bytes[end] == ByteClass.carriageReturn,
            bytes[end + 1] == ByteClass.lineFeed
        else { return false }
        let name = FieldName.classifyExactly(bytes, start: start, length: colon - start)
        if name == .other, !isPlainName(bytes, start..<colon) { return false }
        cursor = end + 2
        lineStart = end + 2
        field = Self.field(name, bytes, start, colon, end, isHopByHop: name.isHopByHop)
        return true
    }

    /// Whether a name that is no known one is a token, has no `_`, and no prefix that means
    /// anything: those begin with an `x`.
    private func isPlainName(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Bool {
        guard bytes[range.lowerBound] | 0x20 != UInt8(ascii: "x") else { return false }
        for i in range where !ByteClass.isToken(bytes[i]) || bytes[i] == ByteClass.underscore {
            return false
        }
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

    /// Reads on in a line that is not there as a whole, or that has something unusual.
    @inline(never)
    private mutating func readParts(
        _ bytes: Span<UInt8>,
        into field: inout Field
    ) throws(WireError) -> Step {
        if colon == 0 {
            guard try readName(bytes) else { return .incomplete }
        }
        let i = bytes.endOfFieldValue(from: cursor)
        cursor = i
        guard i < bytes.count else { return .incomplete }
        // Bare CR, bare LF, NUL and every other control byte end here (RFC 9110 §5.5).
        guard bytes[i] == ByteClass.carriageReturn else { throw .badField }
        guard i + 1 < bytes.count else { return .incomplete }
        guard bytes[i + 1] == ByteClass.lineFeed else { throw .badField }
        field = Self.field(name, bytes, lineStart, colon, i, isHopByHop: isHopByHop)
        cursor = i + 2
        lineStart = i + 2
        colon = 0
        return .field
    }

    /// The field of the line from `start` to its CR at `end`.
    @inline(__always)
    private static func field(
        _ name: FieldName,
        _ bytes: Span<UInt8>,
        _ start: Int,
        _ colon: Int,
        _ end: Int,
        isHopByHop: Bool
    ) -> Field {
        let isPlain =
            end > colon + 2 && bytes[colon + 1] == ByteClass.space
            && !ByteClass.isBlank(bytes[colon + 2]) && !ByteClass.isBlank(bytes[end - 1])
        return Field(
            name: name,
            nameAt: start..<colon,
            valueAt: isPlain ? colon + 2..<end : bytes.trimmed(colon + 1..<end),
            isHopByHop: isHopByHop,
            isPlain: isPlain
        )
    }
}
