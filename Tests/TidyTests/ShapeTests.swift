import Testing

/// The size of files, functions and lines, and how a file begins.
@Suite struct `Shape` {
    static let fileLinesMax = 600
    static let functionLinesMax = 70
    static let lineLengthMax = 100

    @Test func `no file is longer than its hard stop`() {
        for file in Tree.swift {
            let count = file.lines.count
            #expect(count <= Self.fileLinesMax, "\(file.path): \(count) lines")
        }
    }

    @Test func `no line is longer than a hundred characters`() {
        for file in Tree.swift {
            for (index, line) in file.lines.enumerated() where line.count > Self.lineLengthMax {
                Issue.record("\(file.path):\(index + 1): \(line.count) characters")
            }
        }
    }

    @Test func `no function is longer than its hard stop`() throws {
        for file in Tree.swift {
            for function in functions(in: file) where function.lines > Self.functionLinesMax {
                Issue.record("\(file.path):\(function.line): \(function.lines) lines")
            }
        }
    }

    @Test func `every source begins with what it is for`() {
        for file in Tree.sources {
            let first = file.lines.first ?? ""
            #expect(first.hasPrefix("// ") && first.count > 15, "\(file.path): \(first)")
        }
    }

    @Test func `every header tells, and names neither author nor licence`() throws {
        let pattern = try Regex(#"(?i)copyright|created by|licen[cs]e"#)
        for file in Tree.sources {
            let header = file.lines.prefix { $0.hasPrefix("//") }
            #expect(!header.contains { $0.contains(pattern) }, "\(file.path)")
        }
    }

    @Test func `files end with one line break and have no blanks at the ends of lines`() {
        for file in Tree.swift {
            #expect(file.text.hasSuffix("\n") && !file.text.hasSuffix("\n\n"), "\(file.path)")
            for (index, line) in file.lines.enumerated() where line.last?.isWhitespace == true {
                Issue.record("\(file.path):\(index + 1): a blank at the end")
            }
        }
    }

    @Test func `every package symbol is documented`() throws {
        let declaration =
            #"^ *(nonisolated |static |final |mutating |indirect )*package "#
            + #"(nonisolated |static |final |mutating |consuming |indirect |internal\(set\) |"#
            + #"private\(set\) |convenience )*"#
            + #"(struct|class|enum|actor|protocol|func|let|var|typealias|subscript)\b"#
        for file in Tree.sources {
            for line in try file.lines(with: declaration, inCode: true) {
                #expect(
                    isDocumented(line, in: file),
                    "\(file.path):\(line + 1): \(file.lines[line])"
                )
            }
        }
    }

    /// Members that a protocol documents, and the words every type has.
    private static let obvious = [
        "description", "allCases", "hash(", "static func <", "static func ==", "rawValue",
    ]

    /// Whether a doc comment stands over a line, or over the block of lines it is one of.
    private func isDocumented(_ index: Int, in file: TreeFile) -> Bool {
        if Self.obvious.contains(where: file.lines[index].contains) { return true }
        if conforms(file) { return true }
        var place = index - 1
        while place >= 0 {
            let line = file.lines[place].drop { $0 == " " }
            if line.hasPrefix("///") { return true }
            if line.hasPrefix("@") || line.hasPrefix("package ") {
                place -= 1
                continue
            }
            return false
        }
        return false
    }

    /// Files of a type that only does what the protocol `Network` says.
    private func conforms(_ file: TreeFile) -> Bool {
        file.name == "SystemNetwork.swift" || file.name == "Network.swift"
    }

    /// A function with a body: where it begins and how many lines it takes.
    struct Function {
        let line: Int
        let lines: Int
    }

    /// All functions and initialisers of a file that have a body.
    func functions(in file: TreeFile) -> [Function] {
        file.code.indices.compactMap { index in
            let words = file.code[index].split { " (<".contains($0) }
            let isFunction =
                words.contains("func") || words.contains("init") || words.contains("init?")
                || words.first == "deinit"
            guard isFunction, let end = endOfBody(from: index, in: file.code) else { return nil }
            return Function(line: index + 1, lines: end - index + 1)
        }
    }

    /// The line with the brace that closes the first body from a line on; nil without a body.
    private func endOfBody(from start: Int, in code: [Substring]) -> Int? {
        var braces = 0
        var parentheses = 0
        for index in start..<code.count {
            // The next declaration: this one, in a protocol, had no body.
            let words = code[index].split(separator: " ")
            if index > start, braces == 0, parentheses == 0,
                words.contains(where: { ["func", "var", "let"].contains($0) })
            {
                return nil
            }
            for character in code[index] {
                switch character {
                case "(": parentheses += 1
                case ")": parentheses -= 1
                case "{" where parentheses == 0 || braces > 0: braces += 1
                case "}" where braces == 0 && parentheses > 0: break
                case "}":
                    if braces == 0 { return nil }
                    braces -= 1
                    if braces == 0 && parentheses <= 0 { return index }
                default: break
                }
            }
        }
        return nil
    }

    @Test func `the length of a function is measured from its name to its last brace`() {
        let file = TreeFile(
            path: "a.swift",
            text: """
                func one(a: Int = { 1 }()) {
                    if a { b() }
                }
                protocol P {
                    func two()
                    func three() -> Int
                }
                init() {}
                """
        )
        #expect(functions(in: file).map(\.line) == [1, 8])
        #expect(functions(in: file).map(\.lines) == [3, 1])
    }
}
