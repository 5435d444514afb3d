// What a byte may be part of: the tables and tests every parser of this module uses.

/// Classes of bytes and the few bytes with a name.
enum ByteClass {
    /// For a byte of a token its lower-case form, for any other byte 0 (RFC 9110 §5.6.2).
    static let foldedToken: InlineArray<256, UInt8> = [
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0x23,
        0x24, 0x25, 0x26, 0x27, 0, 0, 0x2a, 0x2b, 0, 0x2d, 0x2e, 0,
        0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39, 0, 0,
        0, 0, 0, 0, 0, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67,
        0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73,
        0x74, 0x75, 0x76, 0x77, 0x78, 0x79, 0x7a, 0, 0, 0, 0x5e, 0x5f,
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b,
        0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x76, 0x77,
        0x78, 0x79, 0x7a, 0, 0x7c, 0, 0x7e, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0,
    ]

    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
    static let numberSign: UInt8 = 0x23
    static let comma: UInt8 = 0x2c
    static let slash: UInt8 = 0x2f
    static let colon: UInt8 = 0x3a
    static let semicolon: UInt8 = 0x3b
    static let questionMark: UInt8 = 0x3f
    static let underscore: UInt8 = 0x5f

    /// Whether `byte` may stand in a token.
    @inline(__always)
    static func isToken(_ byte: UInt8) -> Bool {
        foldedToken[Int(byte)] != 0
    }

    /// Whether `byte` may stand in a field value or reason phrase: visible, obs-text, SP or HTAB
    /// (RFC 9110 §5.5).
    @inline(__always)
    static func isFieldValue(_ byte: UInt8) -> Bool {
        (byte >= 0x20 && byte != 0x7f) || byte == tab
    }

    /// Whether `byte` may stand in a request target: visible ASCII but `#`, which would begin a
    /// fragment (RFC 9112 §3.2).
    @inline(__always)
    static func isTarget(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != numberSign
    }

    /// Whether `byte` is a decimal digit.
    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10
    }

    /// Whether `byte` is SP or HTAB.
    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == space || byte == tab
    }

    /// Whether `byte` may stand in a registered name or an IPv4 address (RFC 3986 §3.2.2).
    ///
    /// The comma, which that grammar allows, is left out: no host has one, joined fields do.
    static func isHost(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        case 0x21, 0x24...0x2b, 0x2d, 0x2e, 0x3b, 0x3d, 0x5f, 0x7e: true
        default: false
        }
    }

    /// Whether `byte` may stand between the brackets of an IP literal (RFC 3986 §3.2.2).
    static func isAddressLiteral(_ byte: UInt8) -> Bool {
        byte == colon || (isHost(byte) && byte != 0x25)
    }

    /// The value of a hexadecimal digit, or nil.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte &- 0x30
        case 0x41...0x46: byte &- 0x37
        case 0x61...0x66: byte &- 0x57
        default: nil
        }
    }
}

/// Tests of eight bytes at once: each marks bytes in their highest bits.
///
/// Of the marks only the lowest one is sure to be right, and so is their absence.
private enum WordClass {
    static let marks: UInt64 = 0x8080_8080_8080_8080

    /// Eight times the byte.
    @inline(__always)
    static func all(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

    /// Marks the bytes of `word` that are `byte`.
    @inline(__always)
    static func marks(_ byte: UInt8, in word: UInt64) -> UInt64 {
        let difference = word ^ all(byte)
        return (difference &- all(1)) & ~difference & marks
    }

    /// Marks the bytes that are below `byte`, which is at least 1 and at most 0x7f, or DEL.
    @inline(__always)
    static func marksBelow(_ byte: UInt8, in word: UInt64) -> UInt64 {
        // No carry leaves a byte: 0x7f and what is added are together less than 0x100.
        let seven = word & ~marks
        let isNotBelow = (seven &+ all(0x80 - byte)) | word
        let isDelete = (seven &+ all(1)) & ~word
        return (~isNotBelow | isDelete) & marks
    }
}

extension Span<UInt8> {
    /// The offset of the first byte from `start` on that may not stand in a field value, or
    /// `count`.
    @inline(__always)
    func endOfFieldValue(from start: Int) -> Int {
        var i = start
        while i <= count - 8 {
            let controls = WordClass.marksBelow(ByteClass.space, in: word(at: i))
            guard controls == 0 else {
                i += controls.trailingZeroBitCount / 8
                guard self[i] == ByteClass.tab else { return i }
                break
            }
            i += 8
        }
        while i < count, ByteClass.isFieldValue(self[i]) { i += 1 }
        return i
    }

    /// The offset of the first byte from `start` on that is a `?` or may not stand in a target,
    /// or `count`.
    func endOfPath(from start: Int) -> Int {
        var i = start
        while i <= count - 8 {
            let word = word(at: i)
            let ends =
                WordClass.marksBelow(ByteClass.space + 1, in: word) | word & WordClass.marks
                | WordClass.marks(ByteClass.questionMark, in: word)
                | WordClass.marks(ByteClass.numberSign, in: word)
            guard ends == 0 else { return i + ends.trailingZeroBitCount / 8 }
            i += 8
        }
        while i < count, self[i] != ByteClass.questionMark, ByteClass.isTarget(self[i]) { i += 1 }
        return i
    }

    /// The offset of the first colon from `start` on, if it is among the next few bytes: no known
    /// name is longer.
    @inline(__always)
    func firstColon(from start: Int) -> Int? {
        var i = start
        while i <= Swift.min(count - 8, start + 24) {
            let colons = WordClass.marks(ByteClass.colon, in: word(at: i))
            guard colons == 0 else { return i + colons.trailingZeroBitCount / 8 }
            i += 8
        }
        return nil
    }
}
