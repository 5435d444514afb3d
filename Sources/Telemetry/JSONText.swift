// JSON values written straight into a byte span: escaped strings, numbers, milliseconds.

/// The spelling of JSON values.
///
/// Each function appends to `output` and needs room for what its comment says; too little room
/// stops the process, so callers reserve by these bounds.
enum JSONText {
    /// Bytes one input byte can become: `\u00xx`.
    static let growthMax = 6
    /// Bytes of the longest 64-bit number.
    static let numberMax = 20
    /// Bytes of the longest milliseconds value: 20 digits, a point, 3 digits.
    static let millisecondsMax = 24

    private static let hexDigits: InlineArray<16, UInt8> = [
        0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
        0x38, 0x39, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66,
    ]

    /// Appends text as it stands: keys and punctuation, already JSON.
    static func write(_ text: String, into output: inout OutputSpan<UInt8>) {
        write(text.utf8.span, into: &output)
    }

    /// Appends bytes as they stand.
    static func write(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        for index in bytes.indices {
            output.append(bytes[index])
        }
    }

    /// Appends the inside of a JSON string: at most `growthMax` times the length of `bytes`.
    ///
    /// Quotes, backslashes and control characters (C0, DEL, C1) are escaped; each byte that is not
    /// part of well-formed UTF-8 becomes U+FFFD.
    static func writeEscaped(_ bytes: Span<UInt8>, into output: inout OutputSpan<UInt8>) {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte < 0x80 {
                writeEscaped(ascii: byte, into: &output)
                index += 1
                continue
            }
            let length = UTF8Sequence.length(in: bytes, at: index)
            if length == 0 {
                output.append(0xEF)
                output.append(0xBF)
                output.append(0xBD)
                index += 1
            } else if length == 2, byte == 0xC2, bytes[index + 1] < 0xA0 {
                writeUnicodeEscape(bytes[index + 1], into: &output)
                index += 2
            } else {
                for offset in 0..<length {
                    output.append(bytes[index + offset])
                }
                index += length
            }
        }
    }

    /// Appends a number in decimal: at most `numberMax` bytes.
    static func write(_ value: UInt64, into output: inout OutputSpan<UInt8>) {
        // From the last digit on, since a division by the constant 10 costs a multiplication.
        var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
        var first = digits.count
        var rest = value
        repeat {
            first -= 1
            digits[first] += UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        while first < digits.count {
            output.append(digits[first])
            first += 1
        }
    }

    /// Appends a duration in milliseconds with three decimals, or `null` for none.
    ///
    /// At most `millisecondsMax` bytes. A negative duration is written as zero.
    static func write(milliseconds duration: Duration?, into output: inout OutputSpan<UInt8>) {
        guard let duration else {
            write("null", into: &output)
            return
        }
        let microseconds = microseconds(of: duration)
        write(microseconds / 1_000, into: &output)
        output.append(UInt8(ascii: "."))
        let fraction = microseconds % 1_000
        output.append(UInt8(ascii: "0") + UInt8(fraction / 100))
        output.append(UInt8(ascii: "0") + UInt8(fraction / 10 % 10))
        output.append(UInt8(ascii: "0") + UInt8(fraction % 10))
    }

    /// Whole microseconds; zero for a negative duration.
    private static func microseconds(of duration: Duration) -> UInt64 {
        let attoseconds = duration.attoseconds
        // 10^12 = 2^12 × 5^12: up to 21 hours (2^76 attoseconds) a shift leaves 64 bits to divide.
        if let shifted = UInt64(exactly: attoseconds >> 12) {
            return shifted / 244_140_625
        }
        return UInt64(clamping: attoseconds / 1_000_000_000_000)
    }

    private static func writeEscaped(ascii byte: UInt8, into output: inout OutputSpan<UInt8>) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"):
            output.append(UInt8(ascii: "\\"))
            output.append(byte)
        case 0..<0x20, 0x7F:
            writeUnicodeEscape(byte, into: &output)
        default:
            output.append(byte)
        }
    }

    private static func writeUnicodeEscape(_ code: UInt8, into output: inout OutputSpan<UInt8>) {
        write("\\u00", into: &output)
        output.append(hexDigits[Int(code >> 4)])
        output.append(hexDigits[Int(code & 0x0F)])
    }
}

/// Well-formedness of UTF-8 (Unicode 15, table 3-7).
enum UTF8Sequence {
    /// The length of the well-formed sequence that starts at `index`; 0 when there is none.
    static func length(in bytes: Span<UInt8>, at index: Int) -> Int {
        let first = bytes[index]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0..<0x80: return 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard bytes.count - index >= length, second.contains(bytes[index + 1]) else {
            return 0
        }
        for offset in 2..<max(2, length) where bytes[index + offset] & 0xC0 != 0x80 {
            return 0
        }
        return length
    }
}
