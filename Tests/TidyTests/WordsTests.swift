import Testing

/// One word per thing: those that are never right, in code and in what operators read.
@Suite struct `Words` {
    /// Words that mean something else here, or nothing.
    static let never = [
        "backend", "worker", "cluster", "vhost", "manager", "helper", "utils", "blacklist",
        "whitelist", "maxconn",
    ]

    /// Where such a word is right all the same: a term of somebody else, quoted.
    static let quoted: [String: [String]] = [
        "Sources/Configuration": ["cluster"],
        // The API's own names, which its objects are read by.
        "Sources/Kubernetes": ["backend", "cluster"],
    ]

    @Test(arguments: never)
    func `a word that is never right is not used`(word: String) throws {
        for file in Tree.sources {
            let isQuoted = Self.quoted.contains {
                file.path.hasPrefix($0.key) && $0.value.contains(word)
            }
            if isQuoted { continue }
            #expect(!file.path.lowercased().contains(word), "\(file.path)")
            for line in try file.lines(with: "(?i)" + word) {
                Issue.record("\(file.path):\(line + 1): \(file.lines[line])")
            }
        }
    }

    @Test func `no file is named after nothing`() throws {
        let pattern = try Regex("(Utils|Helpers?|Extensions|Manager|Base|Common|Misc)\\.swift$")
        for file in Tree.swift { #expect(!file.path.contains(pattern), "\(file.path)") }
    }

    @Test func `test names are sentences`() throws {
        let pattern = try Regex(#"@(Test|Suite)\b"#)
        let named = try Regex(#"(func|struct|class|enum) `"#)
        for file in Tree.tests where !file.path.hasPrefix("Tests/Simulation/") {
            for (index, line) in file.code.enumerated() where line.contains(pattern) {
                // The name may stand some lines below its arguments.
                let rest = index..<min(index + 70, file.code.count)
                let place = rest.first { line in
                    ["func ", "struct ", "class ", "enum "].contains {
                        file.code[line].contains($0)
                    }
                }
                let declaration = place.map { file.lines[$0] }
                #expect(
                    declaration?.contains(named) == true,
                    "\(file.path):\(index + 1): \(declaration ?? "")"
                )
            }
        }
    }
}
