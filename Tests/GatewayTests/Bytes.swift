// Texts and bytes in the forms the tests compare.

import HTTPWire
import Transport

@testable import Gateway

/// What `body` writes, as text.
func written(_ body: (inout ByteWriter) -> Void) -> String {
    var memory = [UInt8](repeating: 0, count: 64 * 1024)
    var span = memory.mutableSpan
    let bytes = span.withWriter { writer in
        body(&writer)
        var copy: [UInt8] = []
        copy.replace(with: writer.written)
        return copy
    }
    return String(decoding: bytes, as: UTF8.self)
}

extension String {
    /// The text with the line ends of the wire.
    var wire: String { replacing("\n", with: "\r\n") }
    var bytes: [UInt8] { Array(utf8) }
}

/// A head of these lines.
func head(_ lines: String...) -> String { lines.joined(separator: "\n") + "\n\n" }

/// What is kept, as text.
func text(_ kept: borrowing KeptBytes) -> String {
    var copy: [UInt8] = []
    copy.replace(with: kept.span)
    return String(decoding: copy, as: UTF8.self)
}
