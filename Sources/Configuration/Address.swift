// Addresses as they are written in a file: `host:port`, and ranges such as `10.0.0.0/8`.

/// A host and a port, written `10.0.0.1:5000`, `[::1]:8080` or `model:8000`.
package struct Address: Hashable, Sendable, CustomStringConvertible {
    /// An IP address without brackets, or a host name in lower case.
    package var host: String

    /// 0…65535; 0 lets the system choose, for listeners only.
    package var port: Int

    /// Makes it of its parts, which are not checked.
    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The written form; an IPv6 host stands in brackets.
    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        if host == "localhost" { return true }
        guard let range = AddressRange(parsing: host) else { return false }
        return AddressRange.loopback4.contains(range.bytes)
            || AddressRange.loopback6.contains(range.bytes)
    }
}

/// IP addresses with a common beginning, written `10.0.0.0/8` or as one address.
package struct AddressRange: Hashable, Sendable, CustomStringConvertible {
    /// 4 or 16 bytes in network order; those after the prefix are zero.
    package var bytes: [UInt8]

    /// How many bits of `bytes` count, 0…8 × count.
    package var prefixLength: Int

    static let loopback4 = AddressRange(bytes: [127, 0, 0, 0], prefixLength: 8)
    static let loopback6 = AddressRange(
        bytes: [UInt8](repeating: 0, count: 15) + [1],
        prefixLength: 128
    )

    /// Makes it of its parts; bits after the prefix are cleared.
    ///
    /// 4 or 16 bytes; a longer prefix than there are bits is cut.
    package init(bytes: [UInt8], prefixLength: Int) {
        self.prefixLength = min(max(prefixLength, 0), bytes.count * 8)
        self.bytes = bytes
        for index in bytes.indices {
            self.bytes[index] &= Self.mask(at: index, prefixLength: self.prefixLength)
        }
    }

    /// Reads `10.0.0.0/8`, `::1` and the like; nil when it is neither.
    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let bytes = parseIP(String(parts[0])) else {
            return nil
        }
        var length = bytes.count * 8
        if parts.count == 2 {
            guard let given = parseDecimal(parts[1], max: length) else { return nil }
            length = given
        }
        self.init(bytes: bytes, prefixLength: length)
    }

    /// Whether an address of 4 or 16 bytes lies in the range.
    ///
    /// An IPv4 address inside IPv6 (`::ffff:a.b.c.d`) counts as IPv4.
    package func contains(_ address: [UInt8]) -> Bool {
        let candidate = Self.unmapped(address)
        guard candidate.count == bytes.count else { return false }
        for index in bytes.indices {
            let mask = Self.mask(at: index, prefixLength: prefixLength)
            if mask == 0 { return true }
            if candidate[index] & mask != bytes[index] { return false }
        }
        return true
    }

    /// The written form; a single address stands without its length.
    package var description: String {
        let host = bytes.count == 4 ? formatIPv4(bytes) : formatIPv6(bytes)
        return prefixLength == bytes.count * 8 ? host : "\(host)/\(prefixLength)"
    }

    /// The bits of one byte that count.
    private static func mask(at index: Int, prefixLength: Int) -> UInt8 {
        let bits = min(max(prefixLength - index * 8, 0), 8)
        return bits == 0 ? 0 : UInt8.max << UInt8(8 - bits)
    }

    private static func unmapped(_ address: [UInt8]) -> [UInt8] {
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]
        guard address.count == 16, address.starts(with: mapped) else { return address }
        return Array(address.dropFirst(12))
    }
}

/// Reads an IPv4 or IPv6 address; 4 or 16 bytes, nil when it is neither.
func parseIP(_ text: String) -> [UInt8]? {
    text.contains(":") ? parseIPv6(text) : parseIPv4(Substring(text))
}

/// Reads four decimal numbers without leading zeros, which some readers take for octal.
private func parseIPv4(_ text: Substring) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
        guard part == "0" || !part.hasPrefix("0"), let number = parseDecimal(part, max: 255) else {
            return nil
        }
        bytes.append(UInt8(number))
    }
    return bytes
}

/// Reads the forms of RFC 4291 §2.2: eight groups, one `::`, an IPv4 address at the end.
private func parseIPv6(_ text: String) -> [UInt8]? {
    let pieces = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
    guard let last = parseGroups(pieces[pieces.count - 1], mayEndInIPv4: true) else { return nil }
    if pieces.count == 1 { return last.count == 16 ? last : nil }
    guard let first = parseGroups(pieces[0], mayEndInIPv4: false) else { return nil }
    let missing = 16 - first.count - last.count
    guard missing >= 2 else { return nil }
    return first + [UInt8](repeating: 0, count: missing) + last
}

/// Reads groups of up to four hexadecimal digits with a `:` between them.
private func parseGroups(_ text: Substring, mayEndInIPv4: Bool) -> [UInt8]? {
    if text.isEmpty { return [] }
    let groups = text.split(separator: ":", omittingEmptySubsequences: false)
    guard groups.count <= 8 else { return nil }
    var bytes: [UInt8] = []
    for (index, group) in groups.enumerated() {
        if mayEndInIPv4, index == groups.count - 1, group.contains(".") {
            guard let last = parseIPv4(group) else { return nil }
            bytes += last
        } else {
            guard (1...4).contains(group.utf8.count),
                group.utf8.allSatisfy({ isHexDigit($0) }),
                let number = UInt16(group, radix: 16)
            else { return nil }
            bytes += [UInt8(number >> 8), UInt8(number & 0xff)]
        }
    }
    return bytes
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "a")...UInt8(ascii: "f"),
        UInt8(ascii: "A")...UInt8(ascii: "F"):
        true
    default:
        false
    }
}

private func formatIPv4(_ bytes: [UInt8]) -> String {
    bytes.map { String($0) }.joined(separator: ".")
}

/// Writes the recommended form of RFC 5952 §4: the longest run of zero groups becomes `::`.
private func formatIPv6(_ bytes: [UInt8]) -> String {
    let groups = stride(from: 0, to: 16, by: 2).map {
        Int(bytes[$0]) << 8 | Int(bytes[$0 + 1])
    }
    var longest = 0..<0
    var start: Int?
    for index in 0...8 {
        if index < 8, groups[index] == 0 {
            start = start ?? index
        } else if let first = start {
            if index - first > max(longest.count, 1) { longest = first..<index }
            start = nil
        }
    }
    let text = { (part: ArraySlice<Int>) in
        part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    if longest.isEmpty { return text(groups[...]) }
    return "\(text(groups[..<longest.lowerBound]))::\(text(groups[longest.upperBound...]))"
}

/// Reads decimal digits and nothing else, up to `max`.
func parseDecimal(_ text: some StringProtocol, max: Int) -> Int? {
    let digits = text.utf8
    guard (1...18).contains(digits.count),
        digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
        let number = Int(text), number <= max
    else { return nil }
    return number
}
