// `${NAME}` and `${NAME:-default}` inside string values.

/// Why a string with variables has no value.
enum VariableError: Error, Equatable {
    /// The variable is not set and has no default.
    case missing(String)
    /// `${` without its `}`.
    case unclosed
    /// What stands between the braces is no name.
    case badName(String)
}

/// Replaces variables by their values; `$${` stands for `${` itself.
///
/// A default is taken when the variable is not set or empty. Values are not expanded again.
func expand(_ text: String, _ environment: [String: String]) throws(VariableError) -> String {
    var result = ""
    var rest = Substring(text)
    while let dollar = rest.firstIndex(of: "$") {
        result += rest[..<dollar]
        rest = rest[dollar...]
        if rest.hasPrefix("$${") {
            result += "${"
            rest = rest.dropFirst(3)
        } else if rest.hasPrefix("${") {
            guard let end = rest.firstIndex(of: "}") else { throw .unclosed }
            result += try variable(rest[..<end].dropFirst(2), environment)
            rest = rest[end...].dropFirst()
        } else {
            result += "$"
            rest = rest.dropFirst()
        }
    }
    return result + rest
}

/// Whether a text has a variable to be replaced.
func hasVariable(_ text: String) -> Bool {
    text.contains("${")
}

/// Writes a text so that `expand` gives it back.
func escapingVariables(_ text: String) -> String {
    text.replacing("${", with: "$${")
}

private func variable(
    _ inside: Substring,
    _ environment: [String: String]
) throws(VariableError) -> String {
    let split = inside.firstRange(of: ":-")
    let name = String(inside[..<(split?.lowerBound ?? inside.endIndex)])
    let letters = name.utf8.allSatisfy {
        switch $0 {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }
    guard letters, let first = name.first, !first.isNumber else { throw .badName(name) }
    if let split {
        if let value = environment[name], !value.isEmpty { return value }
        return String(inside[split.upperBound...])
    }
    guard let value = environment[name] else { throw .missing(name) }
    return value
}
