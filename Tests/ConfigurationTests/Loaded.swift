// Short ways to load a text, for all tests of this folder.
@testable import Configuration

/// Loads a text as `test.json5`.
func load(_ text: String, environment: [String: String] = [:]) -> LoadedConfiguration {
    Configuration.load(text: text, file: "test.json5", environment: environment)
}

/// A whole text around what is said at the top level.
func text(top: String = "", pool: String = "replicas: []", route: String = "") -> String {
    """
    {
      listeners: [{ address: "127.0.0.1:0" }],
      pools: { sales: { \(pool) } },
      routes: [{ pool: "sales", \(route) }],
      \(top)
    }
    """
}

/// The messages of all problems, without place and hint.
func messages(_ loaded: LoadedConfiguration) -> [String] {
    loaded.diagnostics.map { $0.message }
}

/// Every key that may stand somewhere, as patterns such as `pools.*.queue.limit`; gathered from
/// texts that together hold every object that is optional.
func knownPatterns(of loaded: [Reader]) -> Set<String> {
    var patterns: Set<String> = []
    for reader in loaded {
        for (section, keys) in reader.knownKeys {
            patterns.formUnion(keys.map { section.isEmpty ? $0 : "\(section).\($0)" })
        }
    }
    return patterns
}

/// Reads a text and keeps what was gathered on the way.
func reading(_ text: String) throws -> Reader {
    let reader = Reader(file: "test.json5", positions: Positions(of: text), environment: [:])
    let document = try decodeDocument(text)
    Item(reader: reader, path: [], pattern: "", value: document).section { top in
        _ = readConfiguration(top)
    }
    return reader
}
