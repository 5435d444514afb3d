// How each kind of setting is written: one value that reads it, checks it, and prints it back.

/// How values of one kind stand in a file.
struct Format<Value> {
    /// What is expected, with its article: "a duration such as \"5s\"".
    let expected: String
    /// Reads an item; nil, with a report, when it is not right.
    let parse: (Item) -> Value?
    /// The value as it would be written; nil when it would be left out.
    let print: (Value) -> JSONValue?

    /// The same for a value that may be absent and then is not written.
    var orNothing: Format<Value?> {
        Format<Value?>(
            expected: expected,
            parse: { parse($0).map { .some($0) } },
            print: { $0.flatMap { print($0) } }
        )
    }

    /// The same for a value that may be replaced by a word, such as "auto" or "off".
    func or(_ word: String) -> Format<Value?> {
        Format<Value?>(
            expected: "\(expected), or \"\(word)\"",
            parse: { item in
                if item.isWord(word) { return .some(nil) }
                return parse(item).map { .some($0) }
            },
            print: { value in
                guard let value else { return .string(word) }
                return print(value)
            }
        )
    }

    /// The same for a list of such values.
    func list(max: Int, of things: String) -> Format<[Value]> {
        let expected = "a list of \(things)"
        return Format<[Value]>(
            expected: expected,
            parse: { item in
                let elements = item.elements(max: max, expected: expected)
                let values = elements?.map { parse($0) }
                guard let values, values.allSatisfy({ $0 != nil }) else { return nil }
                return values.compactMap { $0 }
            },
            print: { .list($0.compactMap { print($0) }) }
        )
    }
}

extension Format<Bool> {
    /// True or false, or a variable that holds one of the words.
    static var flag: Format {
        Format(
            expected: "true or false",
            parse: { item in
                if case .flag(let value) = item.value { return value }
                guard let text = item.variableText(expected: "true or false") else { return nil }
                if let value = Bool(text) { return value }
                item.problem("expected true or false, found \(quote(text))")
                return nil
            },
            print: { .flag($0) }
        )
    }
}

extension Format<Int> {
    /// A whole number, or a variable that holds one.
    static func integer(_ range: ClosedRange<Int>) -> Format {
        number(range, expected: "a whole number", read: { Int($0) }, print: { .integer($0) }) {
            if case .integer(let value) = $0 { value } else { nil }
        }
    }

    /// A size in bytes.
    static func size(_ range: ClosedRange<Int>) -> Format {
        quantity(
            range,
            expected: "a size such as \"256KiB\"",
            units: "B, KiB, MiB, GiB, TiB or PiB",
            example: "KiB",
            read: { (text) throws(UnitError) in try parseSize(text) },
            print: formatSize
        )
    }

    /// A port of somebody who is to be reached.
    static var port: Format { integer(1...65535) }
}

extension Format<Double> {
    /// A number that need not be whole, or a variable that holds one.
    static func decimal(_ range: ClosedRange<Double>) -> Format {
        number(range, expected: "a number", read: { Double($0) }, print: { .decimal($0) }) {
            switch $0 {
            case .integer(let value): Double(value)
            case .decimal(let value): value
            default: nil
            }
        }
    }
}

extension Format<Duration> {
    /// A duration with its unit.
    static func duration(_ range: ClosedRange<Duration>) -> Format {
        quantity(
            range,
            expected: "a duration such as \"250ms\" or \"5s\"",
            units: "us, ms, s, m or h",
            example: "s",
            read: { (text) throws(UnitError) in try parseDuration(text) },
            print: formatDuration
        )
    }
}

extension Format<String> {
    /// A text of 1…`max` characters.
    static func text(_ expected: String, max: Int = 4096) -> Format {
        Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected) else { return nil }
                guard !text.isEmpty else {
                    item.problem("expected \(expected), found an empty string")
                    return nil
                }
                guard text.count <= max else {
                    item.problem("at most \(max) characters, found \(text.count)")
                    return nil
                }
                return text
            },
            print: { .string($0) }
        )
    }

    /// A text that a rule accepts or corrects; the rule answers nil for what is wrong.
    static func text(
        _ expected: String,
        max: Int = 4096,
        hint: String? = nil,
        where rule: @escaping (String) -> String?
    ) -> Format {
        let plain = text(expected, max: max)
        return Format(
            expected: expected,
            parse: { item in
                guard let text = plain.parse(item) else { return nil }
                if let right = rule(text) { return right }
                item.problem("expected \(expected), found \(quote(text))", hint: hint)
                return nil
            },
            print: plain.print
        )
    }
}

extension Format {
    /// One of a few words.
    static func choice(_ words: [(word: String, value: Value)]) -> Format where Value: Equatable {
        let list = words.map { "\"\($0.word)\"" }.joined(separator: ", ")
        return Format(
            expected: "one of \(list)",
            parse: { item in
                guard let text = item.text(expected: "one of \(list)") else { return nil }
                if let match = words.first(where: { $0.word == text }) { return match.value }
                let near = nearest(to: text, among: words.map { $0.word })
                item.problem(
                    "expected one of \(list), found \(quote(text))",
                    hint: near.map { "did you mean \"\($0)\"?" }
                )
                return nil
            },
            print: { value in
                words.first { $0.value == value }.map { .string($0.word) }
            }
        )
    }

    /// A number without a unit, in a range.
    fileprivate static func number(
        _ range: ClosedRange<Value>,
        expected: String,
        read: @escaping (String) -> Value?,
        print: @escaping (Value) -> JSONValue,
        take: @escaping (JSONValue) -> Value?
    ) -> Format where Value: Comparable {
        let written = { (value: Value) in printed(print(value)) }
        let bounds = "\(written(range.lowerBound)) to \(written(range.upperBound))"
        let expected = "\(expected), \(bounds)"
        return Format(
            expected: expected,
            parse: { item in
                if let number = take(item.value) { return item.inside(range, number, written) }
                guard case .string(let raw) = item.value, hasVariable(raw) else {
                    var hint: String?
                    if case .string(let text) = item.value, read(text) != nil {
                        hint = "without quotes: \(text)"
                    }
                    item.wrongType(expected: expected, hint: hint)
                    return nil
                }
                guard let text = item.text(expected: expected) else { return nil }
                if let number = read(text) { return item.inside(range, number, written) }
                item.problem("expected \(expected), found \(quote(text))")
                return nil
            },
            print: print
        )
    }

    /// A number with a unit, in a range.
    fileprivate static func quantity(
        _ range: ClosedRange<Value>,
        expected: String,
        units: String,
        example: String,
        read: @escaping (String) throws(UnitError) -> Value,
        print: @escaping (Value) -> String
    ) -> Format where Value: Comparable {
        Format(
            expected: expected,
            parse: { item in
                if case .integer(let number) = item.value {
                    let hint = "write the unit: \"\(number)\(example)\""
                    item.wrongType(expected: expected, hint: hint)
                    return nil
                }
                guard let text = item.text(expected: expected) else { return nil }
                do throws(UnitError) {
                    return item.inside(range, try read(text), print)
                } catch {
                    item.problem(
                        "expected \(expected), found \(quote(text))",
                        hint: hint(for: error, text, units: units, example: example)
                    )
                    return nil
                }
            },
            print: { .string(print($0)) }
        )
    }

    private static func hint(
        for error: UnitError,
        _ text: String,
        units: String,
        example: String
    ) -> String {
        switch error {
        case .noNumber: "a number and its unit, nothing between them"
        case .noUnit: "write the unit: \"\(text)\(example)\""
        case .unknownUnit: "the units are \(units)"
        case .notRepresentable: "too many digits"
        }
    }
}

extension Item {
    /// The text of a string that holds a variable; nil, with a report, for anything else.
    fileprivate func variableText(expected: String) -> String? {
        guard case .string(let raw) = value, hasVariable(raw) else {
            wrongType(expected: expected)
            return nil
        }
        return text(expected: expected)
    }

    /// The value if it lies in the range; else nil, with a report.
    fileprivate func inside<Value: Comparable>(
        _ range: ClosedRange<Value>,
        _ value: Value,
        _ print: (Value) -> String
    ) -> Value? {
        if range.contains(value) { return value }
        let bounds = "\(print(range.lowerBound)) to \(print(range.upperBound))"
        problem("must be \(bounds), found \(print(value))")
        return nil
    }
}
