// The classes of bytes, against the grammar written out.

import Testing

@testable import HTTPWire

@Suite struct `Byte class` {
    private static let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    private static let digits = "0123456789"

    // RFC 9110 §5.6.2.
    @Test func `of tokens is that of the grammar, folded`() {
        let token = Set((Self.letters + Self.digits + "!#$%&'*+-.^_`|~").utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(ByteClass.isToken(byte) == token.contains(byte))
            let isUpper = byte >= 0x41 && byte <= 0x5a
            let folded = token.contains(byte) ? (isUpper ? byte + 32 : byte) : 0
            #expect(ByteClass.foldedToken[Int(byte)] == folded)
        }
    }

    // RFC 9110 §5.5.
    @Test func `of field values leaves out control bytes but HTAB`() {
        for byte in UInt8.min...UInt8.max {
            let isControl = byte < 0x20 || byte == 0x7f
            #expect(ByteClass.isFieldValue(byte) == (!isControl || byte == 0x09))
        }
    }

    @Test func `of targets is visible ASCII without the fragment mark`() {
        for byte in UInt8.min...UInt8.max {
            let isVisible = byte > 0x20 && byte < 0x7f
            #expect(ByteClass.isTarget(byte) == (isVisible && byte != UInt8(ascii: "#")))
        }
    }

    // RFC 3986 §3.2.2, but the comma.
    @Test func `of hosts is that of the grammar without the comma`() {
        let host = Set((Self.letters + Self.digits + "-._~%!$&'()*+;=").utf8)
        for byte in UInt8.min...UInt8.max {
            #expect(ByteClass.isHost(byte) == host.contains(byte))
            let isLiteral = byte == UInt8(ascii: ":") || (host.contains(byte) && byte != 0x25)
            #expect(ByteClass.isAddressLiteral(byte) == isLiteral)
        }
    }

    @Test func `of digits knows decimal and hexadecimal`() {
        for byte in UInt8.min...UInt8.max {
            let character = Character(Unicode.Scalar(byte))
            let hex = byte < 0x80 ? character.hexDigitValue.map(UInt8.init) : nil
            #expect(ByteClass.hexValue(byte) == hex)
            #expect(ByteClass.isDigit(byte) == Self.digits.utf8.contains(byte))
        }
    }

    @Test(arguments: [0x00, 0x0a, 0x0d, 0x1f, 0x7f] as [UInt8])
    func `ends a field value at a control byte, wherever it stands`(control: UInt8) {
        for length in 0..<40 {
            var bytes = [UInt8](repeating: 0xe9, count: length)
            #expect(bytes.span.endOfFieldValue(from: 0) == length)
            bytes += [control] + [UInt8](repeating: 0x61, count: 9)
            for start in 0...length {
                #expect(bytes.span.endOfFieldValue(from: start) == length)
            }
        }
    }

    @Test func `ends a path at every byte that is none of it, wherever it stands`() {
        for byte in UInt8.min...UInt8.max {
            let isPath = ByteClass.isTarget(byte) && byte != ByteClass.questionMark
            for length in 0..<20 {
                let bytes =
                    [UInt8](repeating: 0x22, count: length) + [byte]
                    + [UInt8](repeating: 0x24, count: 9)
                let end = isPath ? bytes.count : length
                #expect(bytes.span.endOfPath(from: 0) == end)
                #expect(bytes.span.endOfPath(from: length) == end)
                #expect(
                    bytes.span.extracting(0...length).endOfPath(from: 0) == min(end, length + 1)
                )
            }
        }
    }

    @Test func `finds the first colon behind a name that may be known`() {
        for length in 0..<40 {
            // The byte behind a colon differs from one in its lowest bit: no carry may mark it.
            let bytes = [UInt8](repeating: 0x3b, count: length) + Array(":;:;:;:;".utf8)
            let found = bytes.span.firstColon(from: 0)
            #expect(found == (length < 32 ? length : nil))
            #expect(bytes.span.firstColon(from: length) == length)
            #expect(bytes.span.extracting(0..<length).firstColon(from: 0) == nil)
        }
    }

    @Test func `passes over tabs in a field value`() {
        let bytes = [UInt8](repeating: 0x09, count: 20) + [0x0d]
        #expect(bytes.span.endOfFieldValue(from: 0) == 20)
    }
}
