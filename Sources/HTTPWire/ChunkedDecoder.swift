// Chunked bodies: takes the framing out and leaves the data, in place.

/// Decodes one chunked body, however its bytes are split (RFC 9112 §7.1).
///
/// ```
///   size ──;──▶ extension                        ┌──────── more lines ────────┐
///    │ CR          │ CR                          ▼                            │
///    └────▶ LF ◀───┘       size 0: ──▶ trailers: line start ──▶ line ──CR LF──┘
///            │ size > 0                   │ CR LF
///            ▼                            ▼
///          data ──▶ CR ──▶ LF ──▶ size   end
/// ```
package struct ChunkedDecoder: Sendable {
    /// What one piece of the body held.
    package struct Decoded: Sendable, Equatable {
        /// Bytes of the input that belong to this body: all of them, unless it ended.
        package var consumed = 0
        /// Where the data begins in the input, which was changed.
        package var dataStart = 0
        /// Bytes of data there.
        package var dataLength = 0
        /// Whether the last chunk and the trailers are complete.
        package var ended = false
    }

    private enum Phase {
        case size
        case sizeExtension
        case sizeLineFeed
        case data
        case dataReturn
        case dataLineFeed
        case trailers
        case ended
    }

    private let limits: Limits
    private var phase = Phase.size
    private var sizeDigits = 0
    /// The size while its digits are read, then the bytes of data still to come.
    private var remaining: UInt64 = 0
    /// Bytes of extensions less bytes of data so far, never below zero.
    private var extensionBytes = 0
    private var trailerReader = TrailerReader()

    /// Digits that the size of the largest chunk has; leading zeros count.
    private static let sizeDigitsMax = 16

    /// A decoder at the start of a body.
    package init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether the body is complete; a connection that ends before cut it short (RFC 9112 §8).
    package var hasEnded: Bool { phase == .ended }

    /// The trailers that may be passed on, as lines with their CRLF; known once the body ended.
    ///
    /// Without framing, routing and hop-by-hop fields (RFC 9110 §6.5.1). Empty, and never
    /// allocated, when there are none.
    package var trailers: [UInt8] { trailerReader.kept }

    /// Decodes `bytes`, which follow those of the call before.
    ///
    /// The data of all chunks in `bytes` is moved together into one run; a single chunk stays
    /// where it is. O(bytes).
    /// - Throws: `badChunk`, `badTrailer` or `trailersTooLarge`; the body can then not be
    ///   finished.
    package mutating func decode(
        _ bytes: inout MutableSpan<UInt8>
    ) throws(WireError) -> Decoded {
        var decoded = Decoded()
        var i = 0
        let end = bytes.count
        while i < end, phase != .ended {
            if phase == .data {
                i = takeData(&bytes, at: i, into: &decoded)
            } else if phase == .trailers {
                i = try takeTrailers(bytes.span, at: i)
            } else {
                try takeFraming(bytes[i])
                i += 1
            }
        }
        decoded.consumed = i
        decoded.ended = phase == .ended
        return decoded
    }

    /// Takes the data that is there; returns the offset behind it.
    private mutating func takeData(
        _ bytes: inout MutableSpan<UInt8>,
        at start: Int,
        into decoded: inout Decoded
    ) -> Int {
        let length = Int(min(remaining, UInt64(bytes.count - start)))
        if decoded.dataLength == 0 {
            decoded.dataStart = start
        } else {
            let target = decoded.dataStart + decoded.dataLength
            bytes.moveDown(from: start, to: target, length: length)
        }
        decoded.dataLength += length
        remaining -= UInt64(length)
        extensionBytes = max(0, extensionBytes - length)
        if remaining == 0 { phase = .dataReturn }
        return start + length
    }

    /// Takes one byte around the data.
    private mutating func takeFraming(_ byte: UInt8) throws(WireError) {
        switch phase {
        case .size:
            try takeSize(byte)
        case .sizeExtension:
            try takeExtension(byte)
        case .sizeLineFeed:
            guard byte == ByteClass.lineFeed else { throw .badChunk }
            phase = remaining > 0 ? .data : .trailers
        case .dataReturn:
            guard byte == ByteClass.carriageReturn else { throw .badChunk }
            phase = .dataLineFeed
        case .dataLineFeed:
            guard byte == ByteClass.lineFeed else { throw .badChunk }
            phase = .size
            sizeDigits = 0
        case .data, .trailers, .ended:
            break
        }
    }

    /// A digit of the size, or what ends it: `;` or CR and nothing else, no blank either.
    private mutating func takeSize(_ byte: UInt8) throws(WireError) {
        if let digit = ByteClass.hexValue(byte) {
            sizeDigits += 1
            // 16 digits fit in 64 bits, and a size must fit in an `Int`.
            guard sizeDigits <= Self.sizeDigitsMax else { throw .badChunk }
            remaining = remaining << 4 | UInt64(digit)
            guard remaining <= UInt64(Int.max) else { throw .badChunk }
            return
        }
        guard sizeDigits > 0 else { throw .badChunk }
        switch byte {
        case ByteClass.carriageReturn: phase = .sizeLineFeed
        case ByteClass.semicolon: phase = .sizeExtension
        default: throw .badChunk
        }
    }

    private mutating func takeExtension(_ byte: UInt8) throws(WireError) {
        if byte == ByteClass.carriageReturn {
            phase = .sizeLineFeed
            return
        }
        guard ByteClass.isFieldValue(byte) else { throw .badChunk }
        extensionBytes += 1
        guard extensionBytes <= limits.chunkExtensionBytesMax else { throw .badChunk }
    }

    private mutating func takeTrailers(
        _ bytes: Span<UInt8>,
        at start: Int
    ) throws(WireError) -> Int {
        let end = try trailerReader.take(bytes, at: start, limits: limits)
        if trailerReader.hasEnded { phase = .ended }
        return end
    }
}
