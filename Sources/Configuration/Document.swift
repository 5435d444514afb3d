// The tree of values in a file, read by Foundation's JSON5 decoder.
internal import FoundationEssentials

/// One value of a file, before anything is known about what it should be.
enum JSONValue: Equatable, Sendable {
    case object([String: JSONValue])
    case list([JSONValue])
    case string(String)
    case integer(Int)
    case decimal(Double)
    case flag(Bool)
    case null

    /// What it is, with its article, for "found …".
    var kind: String {
        switch self {
        case .object: "an object"
        case .list: "a list"
        case .string(let text): text.count <= 40 ? quote(text) : "a string"
        case .integer(let number): "the number \(number)"
        case .decimal(let number): "the number \(number)"
        case .flag(let value): value ? "true" : "false"
        case .null: "null"
        }
    }
}

extension JSONValue: Decodable {
    /// Any key at all: which ones are known is decided later, where all problems are told at once.
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// Takes whatever stands there: `try?` asks the decoder what kind of value it is.
    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in container.allKeys {
                members[key.stringValue] = try container.decode(JSONValue.self, forKey: key)
            }
            self = .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var elements: [JSONValue] = []
            while !container.isAtEnd {
                elements.append(try container.decode(JSONValue.self))
            }
            self = .list(elements)
        } else {
            self = try Self.scalar(decoder.singleValueContainer())
        }
    }

    private static func scalar(_ container: any SingleValueDecodingContainer) throws -> Self {
        if container.decodeNil() { return .null }
        // `try?` as above: the first kind that fits is the kind.
        if let value = try? container.decode(Bool.self) { return .flag(value) }
        if let value = try? container.decode(Int.self) { return .integer(value) }
        if let value = try? container.decode(Double.self) { return .decimal(value) }
        return .string(try container.decode(String.self))
    }
}

/// Why a text has no tree of values.
struct DocumentError: Error {
    /// Where, when the decoder knows.
    var path: [PathStep]
}

/// One step into a tree of values.
enum PathStep: Hashable, Sendable {
    case key(String)
    case index(Int)
}

/// Reads a text as JSON5.
///
/// Throws when it is not; `Positions` then knows where and why.
func decodeDocument(_ text: String) throws(DocumentError) -> JSONValue {
    let decoder = JSONDecoder()
    decoder.allowsJSON5 = true
    do {
        return try decoder.decode(JSONValue.self, from: Data(text.utf8))
    } catch let error as DecodingError {
        throw DocumentError(path: path(of: error))
    } catch {
        throw DocumentError(path: [])
    }
}

private func path(of error: DecodingError) -> [PathStep] {
    let context =
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .keyNotFound(_, let context), .dataCorrupted(let context):
            context
        @unknown default:
            DecodingError.Context(codingPath: [], debugDescription: "")
        }
    return context.codingPath.map { key in
        if let index = key.intValue { .index(index) } else { .key(key.stringValue) }
    }
}

/// Writes a text as a JSON string.
func quote(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\r": result += "\\r"
        case "\t": result += "\\t"
        case _ where scalar.value < 0x20 || scalar.value == 0x7f:
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}
