// Runs every file of Golden/: a text, a line `----`, and what must come of it.
import Foundation
import Testing

@testable import Configuration

/// One file of Golden/, cut at its `----` lines.
struct GoldenCase: CustomTestStringConvertible {
    static let separator = "\n----\n"

    /// The folder, next to this file.
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden")

    /// All cases whose names begin with a word and `-`, sorted.
    static func all(_ kind: String) -> [GoldenCase] {
        // `try?`: a folder that cannot be read has no cases, which a test below refuses.
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path)
        return (names ?? []).filter { $0.hasPrefix("\(kind)-") }.sorted().compactMap { name in
            let text = try? String(contentsOf: folder.appending(path: name), encoding: .utf8)
            return text.map {
                GoldenCase(name: name, parts: $0.components(separatedBy: separator))
            }
        }
    }

    var name: String
    var parts: [String]

    var testDescription: String { name }

    /// The variables that texts in Golden/ may use.
    static let environment = ["PORT_NUMBER": "8080", "EMPTY": "", "ADMIN_TOKEN": "s3cret"]

    func load(_ part: Int = 0) -> LoadedConfiguration {
        Configuration.load(
            text: parts[part],
            file: "case.json5",
            environment: Self.environment
        )
    }

    /// Compares the last part; `SLUICE_GOLDEN=write` writes it, to be read and committed.
    func check(_ actual: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let lines = actual.split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0.reversed().drop { $0 == " " }.reversed()) }
        let text = lines.joined(separator: "\n").trimmingCharacters(in: .newlines) + "\n"
        if ProcessInfo.processInfo.environment["SLUICE_GOLDEN"] == "write" {
            let whole = (parts.dropLast() + [text]).joined(separator: Self.separator)
            let path = Self.folder.appending(path: name)
            #expect(throws: Never.self) {
                try whole.write(to: path, atomically: true, encoding: .utf8)
            }
        }
        #expect(text == parts.last, sourceLocation: sourceLocation)
    }
}

@Suite struct `Golden files` {
    @Test(arguments: GoldenCase.all("problems"))
    func `give the diagnostics that stand below`(_ golden: GoldenCase) {
        let loaded = golden.load()
        golden.check(loaded.diagnostics.map { $0.description }.joined(separator: "\n"))
    }

    @Test(arguments: GoldenCase.all("values"))
    func `give the values that stand below, apart from defaults`(_ golden: GoldenCase) {
        let loaded = golden.load()
        #expect(loaded.configuration != nil, "\(loaded.diagnostics)")
        var effective = loaded.effective
        effective.settings.removeAll { $0.origin == .standard }
        golden.check(effective.listing())
    }

    @Test(arguments: GoldenCase.all("all"))
    func `give all values that stand below`(_ golden: GoldenCase) {
        golden.check(golden.load().effective.listing())
    }

    @Test(arguments: GoldenCase.all("json"))
    func `give the JSON that stands below`(_ golden: GoldenCase) {
        golden.check(golden.load().effective.json())
    }

    @Test(arguments: GoldenCase.all("plan"))
    func `give the plan that stands below`(_ golden: GoldenCase) throws {
        let old = try golden.load(0).checked()
        let new = try golden.load(1).checked()
        let plan = Plan(from: old, to: new)
        golden.check(plan.isEmpty ? plan.description : plan.lines.joined(separator: "\n"))
    }

    @Test(arguments: ["problems", "values", "all", "json", "plan"])
    func `exist for every kind`(_ kind: String) {
        #expect(!GoldenCase.all(kind).isEmpty)
    }
}
