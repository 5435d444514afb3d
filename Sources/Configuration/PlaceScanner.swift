// A small, tolerant JSON5 scanner: it finds where keys and values stand and what the first
// mistake is, and never what a value is, which is left to Foundation's decoder.

/// Goes once through the bytes of a text.
struct PlaceScanner {
    typealias Mistake = Positions.Mistake

    /// Deeper nesting than any setting needs is refused before it can exhaust the stack.
    private static let depthMax = 32

    private(set) var nodes: [Positions.Node] = []
    private(set) var duplicates: [Positions.Duplicate] = []
    private(set) var mistake: Mistake?

    private let bytes: [UInt8]
    private var next = 0
    /// A mistake that some JSON5 readers forgive; told when the decoder does not.
    private var suspicion: Mistake?

    /// Scans to the end or the first mistake.
    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        do throws(Mistake) {
            try scanDocument()
        } catch {
            mistake = error
        }
        mistake = mistake ?? suspicion
    }
}

extension PlaceScanner {
    private mutating func scanDocument() throws(Mistake) {
        try skipBlanks()
        guard next < bytes.count else {
            throw Mistake(offset: 0, message: "the file holds no settings", hint: nil)
        }
        _ = try scanValue(depth: 0)
        try skipBlanks()
        if next < bytes.count {
            throw Mistake(
                offset: next,
                message: "expected the end of the file, found \(found())",
                hint: nil
            )
        }
    }

    /// Scans one value and returns its node.
    private mutating func scanValue(depth: Int) throws(Mistake) -> Int {
        guard depth <= Self.depthMax else {
            throw Mistake(
                offset: next,
                message: "nested deeper than \(Self.depthMax) levels",
                hint: nil
            )
        }
        let node = nodes.count
        nodes.append(Positions.Node(offset: next))
        switch current {
        case UInt8(ascii: "{"): try scanObject(into: node, depth: depth)
        case UInt8(ascii: "["): try scanList(into: node, depth: depth)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): _ = try scanString()
        default: try scanLiteral()
        }
        return node
    }

    private mutating func scanObject(into node: Int, depth: Int) throws(Mistake) {
        let open = next
        next += 1
        while true {
            try skipBlanks()
            if take("}") { return }
            try requireMore(open: open)
            let offset = next
            let key = try scanKey()
            try skipBlanks()
            try requireMore(open: open)
            guard take(":") else {
                throw Mistake(
                    offset: next,
                    message: "expected `:` after the key `\(key)`, found \(found())",
                    hint: nil
                )
            }
            try skipBlanks()
            try requireMore(open: open)
            let value = try scanValue(depth: depth + 1)
            addMember(Positions.Member(key: key, offset: offset, node: value), to: node)
            try scanSeparator(close: "}", open: open)
        }
    }

    private mutating func addMember(_ member: Positions.Member, to node: Int) {
        if let first = nodes[node].index[member.key] {
            duplicates.append(
                Positions.Duplicate(
                    key: member.key,
                    offset: member.offset,
                    firstOffset: nodes[node].members[first].offset
                )
            )
        } else {
            nodes[node].index[member.key] = nodes[node].members.count
            nodes[node].members.append(member)
        }
    }

    private mutating func scanList(into node: Int, depth: Int) throws(Mistake) {
        let open = next
        next += 1
        while true {
            try skipBlanks()
            if take("]") { return }
            try requireMore(open: open)
            let value = try scanValue(depth: depth + 1)
            nodes[node].elements.append(value)
            try scanSeparator(close: "]", open: open)
        }
    }

    /// Takes a comma, or leaves the closing bracket to the caller.
    private mutating func scanSeparator(
        close: Unicode.Scalar,
        open: Int
    ) throws(Mistake) {
        let end = next
        try skipBlanks()
        try requireMore(open: open)
        if take(",") || current == UInt8(ascii: close) { return }
        // The comma is missing where the value ends, not where the next line begins.
        throw Mistake(
            offset: end - 1,
            message: "expected `,` or `\(close)` after this, found \(found())",
            hint: nil
        )
    }

    private mutating func scanKey() throws(Mistake) -> String {
        if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") {
            return try scanString()
        }
        let start = next
        while next < bytes.count, isNameByte(bytes[next]) { next += 1 }
        let name = String(decoding: bytes[start..<next], as: UTF8.self)
        guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else {
            next = start
            throw Mistake(
                offset: start,
                message: "expected a key or `}`, found \(found())",
                hint: nil
            )
        }
        if current == UInt8(ascii: "-") {
            throw Mistake(
                offset: start,
                message: "a key with `-` in it needs quotes",
                hint: nil
            )
        }
        if name.contains("\\") { suspect(start, "a key with `\\` in it needs quotes") }
        return name
    }

    /// Scans a string and returns its text, as far as a key needs it.
    private mutating func scanString() throws(Mistake) -> String {
        let open = next
        let quote = bytes[open]
        var text: [UInt8] = []
        next += 1
        while next < bytes.count {
            let byte = bytes[next]
            switch byte {
            case quote:
                next += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                scanEscape(into: &text)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                throw Mistake(offset: open, message: "this string is never closed", hint: nil)
            case 0..<0x20:
                suspect(next, "a control character inside a string must be written as an escape")
                fallthrough
            default:
                text.append(byte)
                next += 1
            }
        }
        throw Mistake(offset: open, message: "this string is never closed", hint: nil)
    }

    private mutating func scanEscape(into text: inout [UInt8]) {
        let start = next
        next += 2
        guard start + 1 < bytes.count else { return }
        switch bytes[start + 1] {
        case UInt8(ascii: "n"): text.append(UInt8(ascii: "\n"))
        case UInt8(ascii: "t"): text.append(UInt8(ascii: "\t"))
        case UInt8(ascii: "r"): text.append(UInt8(ascii: "\r"))
        case UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "v"): break
        case UInt8(ascii: "u"): scanCode(digits: 4, from: start, into: &text)
        case UInt8(ascii: "x"): scanCode(digits: 2, from: start, into: &text)
        case UInt8(ascii: "\r"):
            if next < bytes.count, bytes[next] == UInt8(ascii: "\n") { next += 1 }
        case UInt8(ascii: "\n"): break
        case UInt8(ascii: "\""), UInt8(ascii: "'"), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            text.append(bytes[start + 1])
        default:
            suspect(start, "there is no such escape in a string")
            text.append(bytes[start + 1])
        }
    }

    private mutating func scanCode(digits: Int, from start: Int, into text: inout [UInt8]) {
        let code = String(decoding: bytes[next...].prefix(digits), as: UTF8.self)
        guard code.utf8.count == digits, let value = UInt32(code, radix: 16) else {
            suspect(start, "expected \(digits) hexadecimal digits after this")
            return
        }
        next += digits
        if value == 0 { suspect(start, "a NUL cannot stand in a string") }
        if let scalar = Unicode.Scalar(value) {
            text += Array(String(Character(scalar)).utf8)
        }
    }

    /// Scans `true`, `false`, `null` or a number.
    private mutating func scanLiteral() throws(Mistake) {
        let start = next
        while next < bytes.count, isLiteralByte(bytes[next]) { next += 1 }
        let word = String(decoding: bytes[start..<next], as: UTF8.self)
        if ["true", "false", "null"].contains(word) || isNumber(word) { return }
        next = start
        guard !word.isEmpty else {
            throw Mistake(
                offset: start,
                message: "expected a value, found \(found())",
                hint: nil
            )
        }
        let quotes: [Unicode.Scalar] = ["\u{201C}", "\u{201D}", "\u{2018}", "\u{2019}"]
        let isCurly = word.unicodeScalars.first.map { quotes.contains($0) } ?? false
        let bare = word.prefix(40)
        throw Mistake(
            offset: start,
            message: "expected a value, found `\(bare)`",
            hint: isCurly
                ? "quotes must be straight: \" or '"
                : startsLikeNumber(word) ? nil : "a string needs quotes: \"\(bare)\""
        )
    }
}

extension PlaceScanner {
    private var current: UInt8? {
        next < bytes.count ? bytes[next] : nil
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == UInt8(ascii: scalar) else { return false }
        next += 1
        return true
    }

    private func requireMore(open: Int) throws(Mistake) {
        guard next >= bytes.count else { return }
        let bracket = Character(Unicode.Scalar(bytes[open]))
        throw Mistake(offset: open, message: "this `\(bracket)` is never closed", hint: nil)
    }

    /// What stands at the current place, for "found …".
    private func found() -> String {
        guard next < bytes.count else { return "the end of the file" }
        let rest = String(decoding: bytes[next...].prefix(64), as: UTF8.self)
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        return "`\(word.isEmpty ? rest.prefix(1) : word)`"
    }

    private mutating func suspect(_ offset: Int, _ message: String) {
        if suspicion == nil {
            suspicion = Mistake(offset: offset, message: message, hint: nil)
        }
    }

    /// Skips white space and comments.
    private mutating func skipBlanks() throws(Mistake) {
        while let byte = current {
            switch byte {
            case 0x09...0x0d, 0x20:
                next += 1
            case UInt8(ascii: "/") where bytes[next...].starts(with: "//".utf8):
                while let byte = current, byte != UInt8(ascii: "\n") { next += 1 }
            case UInt8(ascii: "/") where bytes[next...].starts(with: "/*".utf8):
                try skipBlockComment()
            case 0xc2 where bytes[next...].starts(with: "\u{a0}".utf8):
                next += 2
            case 0xef where bytes[next...].starts(with: "\u{feff}".utf8),
                0xe2 where bytes[next...].starts(with: "\u{2028}".utf8),
                0xe2 where bytes[next...].starts(with: "\u{2029}".utf8):
                next += 3
            default:
                return
            }
        }
    }

    private mutating func skipBlockComment() throws(Mistake) {
        let open = next
        next += 2
        while next + 1 < bytes.count {
            if bytes[next] == UInt8(ascii: "*"), bytes[next + 1] == UInt8(ascii: "/") {
                next += 2
                return
            }
            next += 1
        }
        throw Mistake(offset: open, message: "this comment is never closed", hint: nil)
    }
}

private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"),
        UInt8(ascii: "\\"), 0x80...:
        true
    default:
        false
    }
}

private func isLiteralByte(_ byte: UInt8) -> Bool {
    isNameByte(byte) || [UInt8](".+-".utf8).contains(byte)
}

private func startsLikeNumber(_ word: String) -> Bool {
    word.unicodeScalars.first.map { "+-.0123456789".unicodeScalars.contains($0) } ?? false
}

/// Whether a word is a JSON5 number.
private func isNumber(_ word: String) -> Bool {
    var digits = Substring(word)
    if digits.hasPrefix("+") || digits.hasPrefix("-") { digits = digits.dropFirst() }
    if digits == "Infinity" || digits == "NaN" { return true }
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") {
        return digits.count > 2 && digits.dropFirst(2).allSatisfy { $0.isHexDigit }
    }
    let halves = digits.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    guard (1...2).contains(halves.count) else { return false }
    if halves.count == 2 {
        var exponent = halves[1]
        if exponent.hasPrefix("+") || exponent.hasPrefix("-") { exponent = exponent.dropFirst() }
        guard !exponent.isEmpty, exponent.allSatisfy({ $0.isWholeNumber }) else { return false }
    }
    let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.contains(where: { !$0.isEmpty }),
        parts.allSatisfy({ $0.allSatisfy { $0.isWholeNumber } })
    else { return false }
    return parts[0] == "0" || !parts[0].hasPrefix("0")
}
