// The trailers behind a chunked body: gathered, checked, and thinned out to what may go on.

/// Reads one trailer section; allocates only when there is a trailer (RFC 9112 §7.1.2).
struct TrailerReader: Sendable {
    /// The section so far, once a line of it began; at most `Limits.trailerBytesMax` bytes.
    private var section: [UInt8] = []
    private var lines = FieldLines(at: 0)
    private var count = 0
    /// Whether the CR of an empty section was seen.
    private var sawReturn = false
    /// Whether the empty line that ends the section was read.
    private(set) var hasEnded = false
    /// The lines that may be passed on, each with its CRLF.
    private(set) var kept: [UInt8] = []

    /// Takes the bytes from `start` on; returns the offset behind those that belong here.
    mutating func take(
        _ bytes: Span<UInt8>,
        at start: Int,
        limits: Limits
    ) throws(WireError) -> Int {
        var i = start
        while i < bytes.count, !hasEnded {
            if section.isEmpty, try takeEmptySection(bytes[i]) {
                i += 1
                continue
            }
            i = try takeLine(bytes, at: i, limits: limits)
        }
        return i
    }

    /// Takes a byte of the CRLF that stands for "no trailers"; false when a line begins instead.
    private mutating func takeEmptySection(_ byte: UInt8) throws(WireError) -> Bool {
        if sawReturn {
            guard byte == ByteClass.lineFeed else { throw .badTrailer }
            hasEnded = true
            return true
        }
        sawReturn = byte == ByteClass.carriageReturn
        return sawReturn
    }

    /// Copies bytes through the next LF, then reads the lines that are whole.
    private mutating func takeLine(
        _ bytes: Span<UInt8>,
        at start: Int,
        limits: Limits
    ) throws(WireError) -> Int {
        var i = start
        var byte: UInt8 = 0
        while i < bytes.count, byte != ByteClass.lineFeed {
            byte = bytes[i]
            guard section.count < limits.trailerBytesMax else { throw .trailersTooLarge }
            section.append(byte)
            i += 1
        }
        try readLines(limits: limits)
        return i
    }

    private mutating func readLines(limits: Limits) throws(WireError) {
        var field = Field()
        while !hasEnded {
            switch try nextLine(into: &field) {
            case .incomplete: return
            case .end: hasEnded = true
            case .field:
                count += 1
                guard count <= limits.trailersMax else { throw .trailersTooLarge }
                if field.name.isAllowedInTrailers, !field.isHopByHop { keep(field) }
            }
        }
    }

    private mutating func nextLine(into field: inout Field) throws(WireError) -> FieldLines.Step {
        do throws(WireError) {
            let bytes = section
            return try lines.next(bytes.span, into: &field)
        } catch .headTooLarge {
            throw .trailersTooLarge
        } catch {
            throw .badTrailer
        }
    }

    /// Adds a line in its plain form, `Name: value`.
    private mutating func keep(_ field: Field) {
        kept.append(contentsOf: section[field.nameRange.bounds])
        kept.append(ByteClass.colon)
        kept.append(ByteClass.space)
        kept.append(contentsOf: section[field.valueRange.bounds])
        kept.append(ByteClass.carriageReturn)
        kept.append(ByteClass.lineFeed)
    }
}
