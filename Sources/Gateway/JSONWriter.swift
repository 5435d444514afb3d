// JSON written value by value, for the pages of the admin address.

/// A JSON text under construction; commas are its own business.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// Writes `{…}`; the members are written in `body`.
    mutating func object(_ body: (inout JSONWriter) -> Void) {
        enclose("{", "}", body)
    }

    /// Writes `[…]`; the elements are written in `body`.
    mutating func array(_ body: (inout JSONWriter) -> Void) {
        enclose("[", "]", body)
    }

    /// Writes a member's name; its value comes next.
    mutating func name(_ text: String) {
        separate()
        quote(text)
        append(":")
        needsComma = false
    }

    /// Writes a text, or `null`.
    mutating func value(_ text: String?) {
        separate()
        if let text { quote(text) } else { append("null") }
    }

    mutating func value(_ number: Int) {
        separate()
        append(String(number))
    }

    mutating func value(_ flag: Bool) {
        separate()
        append(flag ? "true" : "false")
    }

    /// Writes a number, or `null` for none and for what JSON has no word for.
    mutating func value(_ number: Double?) {
        separate()
        if let number, number.isFinite {
            append(Int(exactly: number).map { String($0) } ?? number.description)
        } else {
            append("null")
        }
    }

    /// Writes a duration in seconds, to the microsecond; `null` for none.
    mutating func value(seconds: Duration?) {
        value(seconds.map { ($0.inSeconds * 1e6).rounded() / 1e6 })
    }

    /// Writes a value that is JSON already, without the line's end.
    mutating func value(json: [UInt8]) {
        separate()
        bytes.append(contentsOf: json.last == 0x0a ? json.dropLast() : json[...])
    }

    /// Ends the text with a line's end, as tools expect.
    mutating func endLine() { append("\n") }

    private mutating func enclose(
        _ open: String,
        _ close: String,
        _ body: (inout JSONWriter) -> Void
    ) {
        separate()
        append(open)
        needsComma = false
        body(&self)
        append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { append(",") }
        needsComma = true
    }

    private mutating func quote(_ text: String) {
        append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": append("\\\(scalar)")
            case "\n": append("\\n")
            case "\t": append("\\t")
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                let digits = String(scalar.value, radix: 16)
                append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
            default: append(String(scalar))
            }
        }
        append("\"")
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }
}

extension Duration {
    /// The duration in seconds.
    var inSeconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
