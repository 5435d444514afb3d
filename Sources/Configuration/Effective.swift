// The effective configuration: every setting with its value and where that comes from.

/// Where a value comes from.
package enum Origin: Hashable, Sendable {
    /// The file says nothing: the built-in default.
    case standard
    /// The file says so here; in `defaults` when the setting is a pool's and the pool says nothing.
    case file(Position)
}

/// How much of a value the effective configuration shows.
enum Disclosure {
    /// All of it.
    case value
    /// What stands in the file: a variable stays a variable.
    case written
    /// Nothing but the name of a variable.
    case hidden
}

/// One setting as it is in force.
package struct Setting: Sendable {
    /// Where it stands in the file, or would.
    var path: [PathStep]
    /// The path with `*` for names and `[]` for numbers.
    var pattern: String
    /// The value as it would be written; nil: the setting is off by being left out.
    var value: JSONValue?
    /// What the value would be without the file; nil: there is no default.
    var standard: JSONValue?
    /// Where the value comes from.
    package var origin: Origin
    /// The value before variables were replaced, when that is what may be shown.
    var written: JSONValue?
    /// How much of the value may be shown.
    var shown: Disclosure

    /// The path as people write it: `pools.sales.queue.limit`, `routes[0].path`.
    package var name: String {
        describe(path)
    }
}

/// Writes a path as people do.
func describe(_ path: [PathStep]) -> String {
    var text = ""
    for step in path {
        switch step {
        case .key(let key): text += text.isEmpty ? key : ".\(key)"
        case .index(let index): text += "[\(index)]"
        }
    }
    return text
}

/// Every setting that is in force, in the order of the documentation.
package struct EffectiveConfiguration: Sendable {
    /// The file as it was named.
    package var file: String

    /// The settings; those that are absent and have no default are left out.
    package var settings: [Setting]

    /// One line per setting: name, value, origin; secrets are hidden.
    ///
    /// What `defaults` does not say is shown with the pools only.
    package func listing() -> String {
        let shown = settings.filter { setting in
            setting.origin != .standard || setting.path.first != .key("defaults")
        }
        let rows = shown.map { setting in
            (setting.name, text(of: setting), origin(of: setting))
        }
        // One very long value must not push all origins off the screen.
        let nameWidth = min(rows.map { $0.0.count }.max() ?? 0, 48)
        let valueWidth = min(rows.map { $0.1.count }.max() ?? 0, 28)
        return rows.map { name, value, origin in
            "\(pad(name, nameWidth))  \(pad(value, valueWidth))  \(origin)\n"
        }.joined()
    }

    /// The same as a file: plain JSON that gives this very configuration.
    ///
    /// Secrets stand as they were written: a variable stays a variable.
    package func json() -> String {
        var root = Tree.object([])
        for setting in settings {
            guard let value = setting.value else { continue }
            let written = setting.written.map { Tree($0, escaping: false) }
            root.insert(written ?? Tree(value, escaping: true), at: setting.path[...])
        }
        return root.text(indent: 0) + "\n"
    }

    private func text(of setting: Setting) -> String {
        guard let value = setting.value else { return "none" }
        guard setting.shown == .hidden else {
            return setting.written.map { Tree($0, escaping: false).line }
                ?? printed(value)
        }
        if case .string(let written) = setting.written, hasVariable(written) {
            return quote(written)
        }
        return value == setting.standard ? printed(value) : "(hidden)"
    }

    private func origin(of setting: Setting) -> String {
        switch setting.origin {
        case .standard:
            "default"
        case .file(let position):
            "\(file):\(position.line)"
        }
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}

/// A value as it is written on one line.
func printed(_ value: JSONValue) -> String {
    Tree(value, escaping: true).line
}

/// A tree of values whose objects keep the order in which they were filled.
private enum Tree {
    case object([(key: String, value: Tree)])
    case list([Tree])
    case scalar(String)

    /// Takes a value; `escaping` marks what looks like a variable as text.
    init(_ value: JSONValue, escaping: Bool) {
        switch value {
        case .object(let members):
            self = .object(
                members.sorted { $0.key < $1.key }
                    .map { ($0.key, Tree($0.value, escaping: escaping)) }
            )
        case .list(let elements): self = .list(elements.map { Tree($0, escaping: escaping) })
        case .string(let text): self = .scalar(quote(escaping ? escapingVariables(text) : text))
        case .integer(let number): self = .scalar(String(number))
        case .decimal(let number):
            let isWhole = number == number.rounded() && abs(number) < 1e15
            self = .scalar(isWhole ? String(Int(number)) : String(number))
        case .flag(let value): self = .scalar(value ? "true" : "false")
        case .null: self = .scalar("null")
        }
    }

    /// Puts a value where a path says; objects and lists on the way are made.
    mutating func insert(_ value: Tree, at path: ArraySlice<PathStep>) {
        guard let step = path.first else {
            self = value
            return
        }
        switch step {
        case .key(let key):
            var members: [(key: String, value: Tree)] = []
            if case .object(let existing) = self { members = existing }
            // So that the array is not shared, and not copied, while it grows.
            self = .object([])
            let index = members.firstIndex { $0.key == key } ?? members.count
            if index == members.count { members.append((key, .object([]))) }
            members[index].value.insert(value, at: path.dropFirst())
            self = .object(members)
        case .index(let index):
            var elements: [Tree] = []
            if case .list(let existing) = self { elements = existing }
            self = .list([])
            while elements.count <= index { elements.append(.object([])) }
            elements[index].insert(value, at: path.dropFirst())
            self = .list(elements)
        }
    }

    /// The value on one line.
    var line: String {
        switch self {
        case .object(let members):
            "{"
                + members.map { "\(quote($0.key)): \($0.value.line)" }.joined(separator: ", ")
                + "}"
        case .list(let elements): "[" + elements.map { $0.line }.joined(separator: ", ") + "]"
        case .scalar(let text): text
        }
    }

    /// The value with one member or element a line; lists of scalars stay on one.
    func text(indent: Int) -> String {
        let margin = String(repeating: "  ", count: indent + 1)
        let end = "\n" + String(repeating: "  ", count: indent)
        switch self {
        case .object(let members) where !members.isEmpty:
            let lines = members.map {
                "\(margin)\(quote($0.key)): \($0.value.text(indent: indent + 1))"
            }
            return "{\n" + lines.joined(separator: ",\n") + end + "}"
        case .list(let elements) where !elements.allSatisfy({ $0.isScalar }):
            let lines = elements.map { margin + $0.text(indent: indent + 1) }
            return "[\n" + lines.joined(separator: ",\n") + end + "]"
        default:
            return line
        }
    }

    private var isScalar: Bool {
        if case .scalar = self { true } else { false }
    }
}
