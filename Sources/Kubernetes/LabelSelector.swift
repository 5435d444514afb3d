// Which labels are meant, as Kubernetes writes it: `pool=a`, `pool in (a, b)`, `!pool`.

/// Conditions on labels, all of which must hold.
package struct LabelSelector: Sendable, Equatable {
    private enum Condition: Sendable, Equatable {
        case among(String, [String])
        case notAmong(String, [String])
        case exists(String)
        case missing(String)
    }

    private var conditions: [Condition] = []
    /// Conditions of one selector at most.
    private static let conditionsMax = 32

    /// Reads a selector; empty: everything; nil when it cannot be read.
    package init?(_ text: String) {
        guard text.utf8.count <= 4096 else { return nil }
        var rest = text[...]
        while true {
            rest = rest.drop { $0 == " " }
            if rest.isEmpty { return }
            guard conditions.count < Self.conditionsMax,
                let condition = Self.condition(&rest)
            else { return nil }
            conditions.append(condition)
            rest = rest.drop { $0 == " " }
            if rest.isEmpty { return }
            guard rest.popFirst() == ",", rest.contains(where: { $0 != " " }) else { return nil }
        }
    }

    private static func condition(_ rest: inout Substring) -> Condition? {
        if rest.first == "!" {
            rest.removeFirst()
            rest = rest.drop { $0 == " " }
            return word(&rest).map { .missing($0) }
        }
        guard let key = word(&rest) else { return nil }
        rest = rest.drop { $0 == " " }
        if rest.isEmpty || rest.first == "," { return .exists(key) }
        for (mark, isEqual) in [("!=", false), ("==", true), ("=", true)]
        where rest.hasPrefix(mark) {
            rest.removeFirst(mark.count)
            rest = rest.drop { $0 == " " }
            let value = word(&rest) ?? ""
            return isEqual ? .among(key, [value]) : .notAmong(key, [value])
        }
        guard let name = word(&rest), name == "in" || name == "notin",
            let values = list(&rest)
        else { return nil }
        return name == "in" ? .among(key, values) : .notAmong(key, values)
    }

    /// `(a, b)`.
    private static func list(_ rest: inout Substring) -> [String]? {
        rest = rest.drop { $0 == " " }
        guard rest.popFirst() == "(", let end = rest.firstIndex(of: ")") else { return nil }
        let inside = rest[..<end]
        rest = rest[rest.index(after: end)...]
        let values = inside.split(separator: ",", omittingEmptySubsequences: false).map { part in
            var part = part.drop { $0 == " " }
            while part.last == " " { part.removeLast() }
            return String(part)
        }
        return values.allSatisfy { isWord($0[...]) || $0.isEmpty } ? values : nil
    }

    private static func word(_ rest: inout Substring) -> String? {
        let word = rest.prefix { isWord(Substring(String($0))) }
        guard !word.isEmpty else { return nil }
        rest = rest[word.endIndex...]
        return String(word)
    }

    private static func isWord(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                    UInt8(ascii: "-"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }

    /// Whether labels are meant.
    package func matches(_ labels: [String: String]) -> Bool {
        conditions.allSatisfy { condition in
            switch condition {
            case .among(let key, let values): labels[key].map(values.contains) ?? false
            // What is not there is not among them.
            case .notAmong(let key, let values): labels[key].map { !values.contains($0) } ?? true
            case .exists(let key): labels[key] != nil
            case .missing(let key): labels[key] == nil
            }
        }
    }
}
