// How settings are read: a section is one object of the file, an item one value in it. Reading a
// setting makes its key known, checks it, and notes its value and where it comes from.

/// One value of the file and where it stands.
struct Item {
    let reader: Reader
    let path: [PathStep]
    /// The path with `*` for names and `[]` for numbers.
    let pattern: String
    let value: JSONValue

    /// Whether it is a word, be it that a variable says it.
    func isWord(_ word: String) -> Bool {
        guard case .string(let raw) = value else { return false }
        // `try?`: what cannot be expanded is reported when it is read.
        return (try? expand(raw, reader.environment)) == word
    }

    /// The text of a string with its variables replaced; nil, with a report, if it is none.
    func text(expected: String) -> String? {
        guard case .string(let raw) = value else {
            wrongType(expected: expected)
            return nil
        }
        do throws(VariableError) {
            let text = try expand(raw, reader.environment)
            // It would end the text for whoever is handed it: a program, a file name.
            if text.utf8.contains(0) {
                problem("a NUL cannot stand here")
                return nil
            }
            return text
        } catch {
            switch error {
            case .missing(let name):
                let isProcess = name == "PORT" && pattern.contains(".processes.")
                problem(
                    "the environment has no variable `\(name)`",
                    hint: isProcess
                        ? "a process finds its own port in $PORT, without braces"
                        : "set it, or give a default: ${\(name):-value}"
                )
            case .unclosed:
                problem("`${` without its `}`", hint: "write $${ for the text `${` itself")
            case .badName(let name):
                problem(
                    "`\(name)` is no name of a variable",
                    hint: "write $${ for the text `${` itself"
                )
            }
            return nil
        }
    }

    /// Reports that something else was expected.
    func wrongType(expected: String, hint: String? = nil) {
        problem("expected \(expected), found \(value.kind)", hint: hint)
    }

    /// Reports a problem with this value.
    func problem(_ message: String, hint: String? = nil) {
        reader.report("\(name): \(message)", at: path, hint: hint)
    }

    /// The last key of the path, as people say it.
    private var name: String {
        var indices = ""
        for step in path.reversed() {
            switch step {
            case .key(let key): return "`\(key)\(indices)`"
            case .index(let index): indices = "[\(index)]\(indices)"
            }
        }
        return "the file"
    }

    /// Reads this value as a setting of its own, such as an element of a list.
    func read<Value>(_ format: Format<Value>) -> Value? {
        let value = format.parse(self)
        reader.record(
            Setting(
                path: path,
                pattern: pattern,
                value: value.flatMap { format.print($0) },
                standard: nil,
                origin: .file(reader.positions.value(at: path)),
                written: nil,
                shown: .value
            )
        )
        return value
    }

    /// The elements of a list; nil, with a report, if it is none or too long.
    func elements(max: Int, expected: String) -> [Item]? {
        guard case .list(let values) = value else {
            wrongType(expected: expected)
            return nil
        }
        guard values.count <= max else {
            problem("at most \(max) elements, found \(values.count)")
            return nil
        }
        return values.enumerated().map { index, value in
            Item(
                reader: reader,
                path: path + [.index(index)],
                pattern: "\(pattern)[]",
                value: value
            )
        }
    }

    /// The members of an object with free names in the order of the file; nil, with a report, if
    /// it is none or too large.
    func members(max: Int, expected: String) -> [(name: String, item: Item)]? {
        guard case .object(let values) = value else {
            wrongType(expected: expected)
            return nil
        }
        guard values.count <= max else {
            problem("at most \(max) entries, found \(values.count)")
            return nil
        }
        let written = reader.positions.keys(at: path).filter { values[$0] != nil }
        // A key that the scanner reads otherwise than the decoder comes last, sorted.
        let others = Set(values.keys).subtracting(written).sorted()
        return (written + others).compactMap { name in
            values[name].map { value in
                let path = path + [.key(name)]
                return (
                    name,
                    Item(reader: reader, path: path, pattern: "\(pattern).*", value: value)
                )
            }
        }
    }

    /// Reads an object with known keys; false, with a report, if it is none.
    @discardableResult
    func section(
        expected: String = "an object",
        fallback: [PathStep]? = nil,
        _ read: (Section) -> Void
    ) -> Bool {
        guard case .object(let members) = value else {
            wrongType(expected: expected)
            return false
        }
        let section = Section(
            reader: reader,
            path: path,
            pattern: pattern,
            members: members,
            fallback: fallback
        )
        read(section)
        reader.noteStrangers(in: section)
        return true
    }
}

/// One object of the file whose keys are settings; empty when the file leaves it out.
struct Section {
    let reader: Reader
    let path: [PathStep]
    let pattern: String
    let members: [String: JSONValue]
    /// The section whose settings are the defaults here.
    let fallback: [PathStep]?

    /// The value of a key, which becomes known.
    func item(_ key: String) -> Item? {
        reader.know(key, in: pattern)
        return members[key].map {
            Item(reader: reader, path: path + [.key(key)], pattern: child(key), value: $0)
        }
    }

    /// Reads a setting; without one, or with a wrong one, `target` keeps its value.
    func read<Value>(
        _ key: String,
        _ target: inout Value,
        _ format: Format<Value>,
        shown: Disclosure = .value,
        hasDefault: Bool = true
    ) {
        let item = item(key)
        let standard = hasDefault ? format.print(target) : nil
        if let item, let value = format.parse(item) { target = value }
        reader.record(
            Setting(
                path: path + [.key(key)],
                pattern: child(key),
                value: format.print(target),
                standard: standard,
                origin: origin(of: key, item),
                written: shown == .value ? nil : item?.value,
                shown: shown
            )
        )
    }

    /// Reads a setting that may be replaced by a word, which stands for nil.
    func read<Value>(
        _ key: String,
        _ target: inout Value?,
        _ format: Format<Value>,
        or word: String,
        shown: Disclosure = .value
    ) {
        read(key, &target, format.or(word), shown: shown)
    }

    /// Reads a setting that may be left out, which stands for nil.
    func read<Value>(
        _ key: String,
        optional target: inout Value?,
        _ format: Format<Value>
    ) {
        read(key, &target, format.orNothing)
    }

    /// Reads a setting that has no default; nil, with a report, when it is missing or wrong.
    func require<Value>(
        _ key: String,
        _ format: Format<Value>,
        shown: Disclosure = .value
    ) -> Value? {
        guard members[key] != nil else {
            _ = item(key)
            reader.report("`\(key)` is missing", at: path, hint: "expected \(format.expected)")
            return nil
        }
        var value: Value?
        read(key, &value, format.orNothing, shown: shown, hasDefault: false)
        return value
    }

    /// Reads an object inside this one; an absent one is read as empty, which notes its defaults.
    func section(_ key: String, _ read: (Section) -> Void) {
        let inner = fallback.map { $0 + [.key(key)] }
        if let item = item(key), item.section(fallback: inner, read) { return }
        read(
            Section(
                reader: reader,
                path: path + [.key(key)],
                pattern: child(key),
                members: [:],
                fallback: inner
            )
        )
    }

    /// Notes an empty list or object, so that it is shown although it has no settings.
    func recordEmpty(_ key: String, _ value: JSONValue) {
        reader.record(
            Setting(
                path: path + [.key(key)],
                pattern: child(key),
                value: value,
                standard: nil,
                origin: origin(of: key, item(key)),
                written: nil,
                shown: .value
            )
        )
    }

    private func child(_ key: String) -> String {
        pattern.isEmpty ? key : "\(pattern).\(key)"
    }

    private func origin(of key: String, _ item: Item?) -> Origin {
        if let item { return .file(reader.positions.value(at: item.path)) }
        guard let fallback, let inherited = reader.origin(of: fallback + [.key(key)]) else {
            return .standard
        }
        return inherited
    }
}
