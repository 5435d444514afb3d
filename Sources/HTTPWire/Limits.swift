// The bounds of everything a peer may send in a head, in trailers or around a chunk.

/// How much a parser takes before it refuses (RFC 9112 §2.2, §3; RFC 9110 §5.4).
package struct Limits: Sendable {
    /// Longest request target in bytes; RFC 9112 §3 asks for at least 8,000.
    package var targetBytesMax = 8_192
    /// Longest head in bytes, from its first line through the empty line that ends it.
    package var headBytesMax = 65_536
    /// Most field lines in a head.
    package var fieldsMax = 128
    /// Most options in all Connection fields of a head together.
    package var connectionOptionsMax = 32
    /// Longest method in bytes; the longest registered one has 17.
    package var methodBytesMax = 32
    /// Most empty lines before a request line; each is two bytes.
    package var leadingEmptyLinesMax = 4
    /// Longest trailer section in bytes, through the empty line that ends it.
    package var trailerBytesMax = 8_192
    /// Most field lines in a trailer section.
    package var trailersMax = 32
    /// Most bytes by which the extensions of a body's chunks may outweigh its data.
    package var chunkExtensionBytesMax = 4_096

    /// The defaults.
    package init() {}
}
