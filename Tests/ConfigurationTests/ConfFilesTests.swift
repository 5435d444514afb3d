// The files of conf/: each loads, the reference says everything, the schema fits the decoder.
import Foundation
import Testing

@testable import Configuration

/// The folder that users copy from.
private let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../conf").standardized

private func file(_ name: String) throws -> String {
    try String(contentsOf: folder.appending(path: name), encoding: .utf8)
}

/// `try?`: a folder that cannot be read has no files, which a test below refuses.
private let recipes =
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".json5") }.sorted()

@Suite struct `Files of conf` {
    @Test(arguments: recipes)
    func `load without any problem`(_ name: String) throws {
        let loaded = Configuration.load(
            text: try file(name),
            file: name,
            environment: ["SLUICE_ADMIN_TOKEN": "one-of-your-own"]
        )
        #expect(loaded.diagnostics.map { $0.description } == [])
        #expect(loaded.configuration != nil)
    }

    /// A token that stands in a public file is none.
    @Test(arguments: recipes)
    func `have no token of their own`(_ name: String) throws {
        let text = try file(name)
        #expect(!text.contains(/TOKEN:-/))
        let loaded = Configuration.load(text: text, file: name, environment: [:])
        if !text.contains("token: \"${SLUICE_ADMIN_TOKEN}\"") {
            #expect(loaded.configuration?.admin.token == nil)
        } else {
            #expect(loaded.configuration == nil)
            #expect(loaded.diagnostics.contains { $0.description.contains("SLUICE_ADMIN_TOKEN") })
        }
    }

    @Test(arguments: recipes)
    func `begin with a comment that says what they are for`(_ name: String) throws {
        #expect(try file(name).hasPrefix("// "))
    }

    @Test(arguments: [
        "hello", "reference", "llm-streaming", "two-models", "local-processes", "compose-dns",
        "kubernetes", "ingress", "tls",
    ])
    func `are there`(_ name: String) {
        #expect(recipes.contains("\(name).json5"))
    }

    @Test func `keep the first example small`() throws {
        #expect(try file("hello.json5").split(separator: "\n").count <= 13)
    }
}

@Suite struct `Reference` {
    /// A setting of `defaults` and of a pool is one setting.
    private func merged(_ pattern: String) -> String {
        for prefix in ["defaults.", "pools.*."] where pattern.hasPrefix(prefix) {
            return "pool: " + pattern.dropFirst(prefix.count)
        }
        return pattern
    }

    private func settings() throws -> [Setting] {
        try reading(file("reference.json5")).settings
    }

    @Test func `says every setting`() throws {
        let reader = try reading(file("reference.json5"))
        let said = Set(
            reader.settings.filter { $0.origin != .standard }.map { merged($0.pattern) }
        )
        let known = Set(
            knownPatterns(of: [reader]).map { merged($0) }
        )
        // Objects and lists are said by what is in them.
        let all = known.union(said)
        let leaves = known.filter { pattern in
            !["pools", "defaults"].contains(pattern)
                && !all.contains { $0.hasPrefix("\(pattern).") || $0.hasPrefix("\(pattern)[") }
        }
        let missing = leaves.subtracting(said)
        #expect(leaves.count > 80)
        #expect(missing.sorted() == [])
    }

    @Test func `says the true default of every setting that has one`() throws {
        let settings = try settings()
        var shown: [String: [JSONValue?]] = [:]
        var standards: [String: JSONValue] = [:]
        for setting in settings {
            let pattern = merged(setting.pattern)
            if setting.origin != .standard { shown[pattern, default: []].append(setting.value) }
            if let standard = setting.standard, setting.pattern.hasPrefix("pools.*.") == false {
                standards[pattern] = standard
            }
        }
        #expect(standards.count > 60)
        for (pattern, standard) in standards {
            #expect(shown[pattern]?.contains(standard) == true, "\(pattern) is \(standard)")
        }
    }

    @Test func `gives the pools that say nothing the settings of an empty file`() throws {
        let configuration = try #require(load(file("reference.json5")).configuration)
        let written = try #require(configuration.pools.first)
        #expect(written.settings == Configuration.PoolSettings())
        #expect(configuration.timeouts == Configuration.Timeouts())
        #expect(configuration.limits == Configuration.Limits())
        #expect(configuration.admin == Configuration.Admin())
    }

    @Test func `gives processes their defaults`() throws {
        let configuration = try #require(load(file("reference.json5")).configuration)
        let pool = try #require(configuration.pools.first { $0.name == "local" })
        let command = ["python3", "model_service.py"]
        #expect(pool.source == .processes(Configuration.Processes(command: command)))
    }
}

@Suite struct `JSON Schema` {
    /// The patterns of all properties of a schema, and their defaults.
    private struct Walk {
        let definitions: [String: Any]
        var patterns: [String: Any?] = [:]

        mutating func visit(_ schema: [String: Any], at pattern: String) {
            if let name = (schema["$ref"] as? String)?.split(separator: "/").last,
                let target = definitions[String(name)] as? [String: Any]
            {
                visit(target, at: pattern)
            }
            for key in ["anyOf", "oneOf", "allOf"] {
                for option in schema[key] as? [[String: Any]] ?? [] { visit(option, at: pattern) }
            }
            for (name, property) in schema["properties"] as? [String: [String: Any]] ?? [:] {
                let inner = pattern.isEmpty ? name : "\(pattern).\(name)"
                patterns[inner] = property["default"]
                visit(property, at: inner)
            }
            if let others = schema["additionalProperties"] as? [String: Any] {
                visit(others, at: "\(pattern).*")
            }
            if let items = schema["items"] as? [String: Any] { visit(items, at: "\(pattern)[]") }
        }
    }

    private func walk() throws -> Walk {
        let data = Data(try file("schema.json").utf8)
        let parsed = try JSONSerialization.jsonObject(with: data)
        let schema = try #require(parsed as? [String: Any])
        var walk = Walk(definitions: schema["$defs"] as? [String: Any] ?? [:])
        walk.visit(schema, at: "")
        return walk
    }

    /// What the decoder knows: `defaults` also where the reference leaves an object to a pool.
    private func known() throws -> Set<String> {
        let readers = [
            try reading(file("reference.json5")),
            try reading(
                """
                {
                  listeners: [], pools: {}, routes: [],
                  defaults: {
                    policy: { name: "consistent-hash", key: { header: "A" }, boundedLoad: 1 },
                    tls: {},
                  },
                }
                """
            ),
        ]
        return knownPatterns(of: readers)
    }

    @Test func `has every setting that the decoder knows`() throws {
        #expect(try known().subtracting(walk().patterns.keys).sorted() == [])
    }

    @Test func `has no setting that the decoder does not know`() throws {
        #expect(try Set(walk().patterns.keys).subtracting(known()).sorted() == [])
    }

    @Test func `says the true defaults`() throws {
        let patterns = try walk().patterns
        let settings = try reading(file("reference.json5")).settings
        var compared = 0
        for setting in settings where !setting.pattern.hasPrefix("pools.*.") {
            guard let standard = setting.standard else { continue }
            let said = try #require(patterns[setting.pattern] ?? nil, "\(setting.pattern)")
            let data = try JSONSerialization.data(
                withJSONObject: said,
                options: [.fragmentsAllowed, .withoutEscapingSlashes]
            )
            let text = String(decoding: data, as: UTF8.self)
            let value = try decodeDocument(text)
            #expect(printed(value) == printed(standard), "\(setting.pattern)")
            compared += 1
        }
        #expect(compared > 60)
    }
}
