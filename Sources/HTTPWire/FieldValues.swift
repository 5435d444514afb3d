// Reading the values of fields: numbers, lists, durations and the few formats sluice understands.

extension Span<UInt8> {
    /// The value as an unsigned decimal number: one digit or more and nothing else; nil when it is
    /// anything else or does not fit.
    package var decimal: UInt64? {
        guard !isEmpty else { return nil }
        var number: UInt64 = 0
        for i in indices {
            let digit = self[i] &- 0x30
            guard digit < 10 else { return nil }
            guard number <= .max / 10 else { return nil }
            let (sum, overflowed) = (number * 10).addingReportingOverflow(UInt64(digit))
            guard !overflowed else { return nil }
            number = sum
        }
        return number
    }

    /// The value as a whole number with an optional `-`, as in `X-Sluice-Priority`.
    package var integer: Int? {
        guard !isEmpty else { return nil }
        guard self[0] == UInt8(ascii: "-") else { return decimal.flatMap { Int(exactly: $0) } }
        return extracting(1..<count).decimal.flatMap { Int(exactly: $0) }.map { -$0 }
    }

    /// Whether the bytes are `text`, ASCII case aside.
    package func equalsIgnoringCase(_ text: String) -> Bool {
        let utf8 = text.utf8
        guard utf8.count == count else { return false }
        var i = 0
        for byte in utf8 {
            guard Self.folded(self[i]) == Self.folded(byte) else { return false }
            i += 1
        }
        return true
    }

    /// Whether the bytes are those of `other`, ASCII case aside.
    package func equalsIgnoringCase(_ other: Span<UInt8>) -> Bool {
        guard other.count == count else { return false }
        for i in indices where Self.folded(self[i]) != Self.folded(other[i]) {
            return false
        }
        return true
    }

    /// Whether the bytes are exactly `text`.
    package func equals(_ text: String) -> Bool {
        let utf8 = text.utf8
        guard utf8.count == count else { return false }
        var i = 0
        for byte in utf8 {
            guard self[i] == byte else { return false }
            i += 1
        }
        return true
    }

    /// Whether the bytes are exactly those of `other`.
    package func equals(_ other: Span<UInt8>) -> Bool {
        guard other.count == count else { return false }
        for i in indices where self[i] != other[i] {
            return false
        }
        return true
    }

    /// Whether `text` is an element of this comma-separated list, ASCII case aside
    /// (RFC 9110 §5.6.1); O(count).
    package func listContains(_ text: String) -> Bool {
        var cursor = 0
        while let element = nextListElement(&cursor) {
            if extracting(element).equalsIgnoringCase(text) { return true }
        }
        return false
    }

    /// The next non-empty element of this comma-separated list from `cursor` on, without the
    /// blanks around it; nil after the last (RFC 9110 §5.6.1).
    ///
    /// Begin with a cursor of 0. Quoted strings are not looked into: none of the lists sluice
    /// reads has them.
    package func nextListElement(_ cursor: inout Int) -> Range<Int>? {
        while cursor < count {
            let start = cursor
            while cursor < count, self[cursor] != ByteClass.comma { cursor += 1 }
            let element = trimmed(start..<cursor)
            if cursor < count { cursor += 1 }
            if !element.isEmpty { return element }
        }
        return nil
    }

    /// Whether the bytes are a token (RFC 9110 §5.6.2).
    package var isToken: Bool {
        for i in indices where !ByteClass.isToken(self[i]) {
            return false
        }
        return !isEmpty
    }

    /// Whether the bytes are visible ASCII, at least one and at most `countMax`, as an inbound
    /// `X-Request-ID` must be to be kept.
    package func isVisibleASCII(countMax: Int) -> Bool {
        guard !isEmpty, count <= countMax else { return false }
        for i in indices where self[i] <= 0x20 || self[i] >= 0x7f {
            return false
        }
        return true
    }

    /// Whether the bytes are a `traceparent` of version 00 with non-zero ids (W3C Trace Context
    /// §3.2).
    package var isTraceparent: Bool {
        guard count == 55, self[0] == 0x30, self[1] == 0x30 else { return false }
        var traceBits: UInt8 = 0
        var parentBits: UInt8 = 0
        for i in 2..<55 {
            switch i {
            case 2, 35, 52:
                guard self[i] == UInt8(ascii: "-") else { return false }
            default:
                // Lower-case digits only.
                guard let value = ByteClass.hexValue(self[i]), self[i] < 0x41 || self[i] > 0x46
                else { return false }
                if i < 35 { traceBits |= value } else if i < 52 { parentBits |= value }
            }
        }
        return traceBits != 0 && parentBits != 0
    }

    /// The value of `Max-Forwards` (RFC 9110 §7.6.2), or nil when it is no number.
    package var maxForwards: UInt64? { decimal }

    /// The value of `Retry-After` when it is a number of seconds, at most a year; nil for a date
    /// (RFC 9110 §10.2.3).
    package var retryAfter: Duration? {
        guard let seconds = decimal else { return nil }
        return .seconds(Int64(Swift.min(seconds, Self.secondsMax)))
    }

    /// The value of `retry-after-ms`: whole milliseconds, at most a year.
    package var retryAfterMilliseconds: Duration? {
        guard let milliseconds = decimal else { return nil }
        return .milliseconds(Int64(Swift.min(milliseconds, Self.secondsMax * 1_000)))
    }

    /// The value of `X-Request-Timeout`: `2.5` or `2.5s` in seconds, `250ms` in milliseconds; at
    /// most nine digits before the point and nine after it.
    package var requestTimeout: Duration? {
        var end = count
        var nanosecondsPerUnit: Int64 = 1_000_000_000
        if end > 0, self[end - 1] == UInt8(ascii: "s") {
            end -= 1
            if end > 0, self[end - 1] == UInt8(ascii: "m") {
                end -= 1
                nanosecondsPerUnit = 1_000_000
            }
        }
        var point = 0
        while point < end, ByteClass.isDigit(self[point]) { point += 1 }
        guard point <= 9, let whole = extracting(0..<point).decimal else { return nil }
        // Below 10^9 units of 10^9 ns each: fits in 63 bits.
        var nanoseconds = Int64(whole) * nanosecondsPerUnit
        guard point < end else { return .nanoseconds(nanoseconds) }
        guard self[point] == UInt8(ascii: "."), end - point <= 10,
            let fraction = extracting(point + 1..<end).decimal
        else { return nil }
        // At most nine digits: the fraction of a second counts whole nanoseconds, that of a
        // millisecond is cut below one.
        var scaled = Int64(fraction)
        for _ in (end - point - 1)..<9 { scaled *= 10 }
        nanoseconds += scaled / (1_000_000_000 / nanosecondsPerUnit)
        return .nanoseconds(nanoseconds)
    }

    /// The value of `grpc-timeout`: up to eight digits and one of `H M S m u n`.
    package var grpcTimeout: Duration? {
        guard count >= 2, count <= 9, let amount = extracting(0..<count - 1).decimal else {
            return nil
        }
        let value = Int64(amount)
        return switch self[count - 1] {
        case UInt8(ascii: "H"): .seconds(value * 3_600)
        case UInt8(ascii: "M"): .seconds(value * 60)
        case UInt8(ascii: "S"): .seconds(value)
        case UInt8(ascii: "m"): .milliseconds(value)
        case UInt8(ascii: "u"): .microseconds(value)
        case UInt8(ascii: "n"): .nanoseconds(value)
        default: nil
        }
    }

    /// `range` without the blanks at both its ends.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var start = range.lowerBound
        var end = range.upperBound
        while start < end, ByteClass.isBlank(self[start]) { start += 1 }
        while end > start, ByteClass.isBlank(self[end - 1]) { end -= 1 }
        return start..<end
    }

    /// A year: longer than anything sluice waits for, and far from overflow.
    private static var secondsMax: UInt64 { 31_536_000 }

    private static func folded(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte
    }
}
