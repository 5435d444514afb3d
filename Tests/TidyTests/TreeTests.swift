import Testing

/// The eyes of the other tests: what they see is what is there.
@Suite struct `The tree` {
    @Test func `finds the sources of every module`() {
        let modules = Set(Tree.sources.map(\.module))
        #expect(modules.isSuperset(of: ["Gateway", "HTTPWire", "Balancing", "Transport"]))
        #expect(Tree.sources.count > 100)
        #expect(Tree.tests.contains { $0.path == "Tests/TidyTests/TreeTests.swift" })
    }

    @Test(arguments: [
        ("let a = 1 // try! it", "let a = 1           "),
        ("a /* x /* y */ z */ b", "a                   b"),
        (#"f("try!")"#, #"f("    ")"#),
        (#"f("a\"b") // c"#, #"f("    ")     "#),
        (#"f("a\(g("b", x!))c")"#, #"f("  (g(" ", x!)) ")"#),
        (##"f(#"a"b\(c)"#)"##, ##"f(#"       "#)"##),
        (##"f(#"a\#(c)b"#)"##, ##"f(#"   (c) "#)"##),
        ("f(\"\"\"\n  a \"b\" c\n  \"\"\")", "f(\"\"\"\n         \n  \"\"\")"),
        ("func `never! {`() {}", "func _         () {}"),
    ])
    func `blanks comments and texts, and keeps code`(code: String, expected: String) {
        #expect(blanked(code) == expected)
    }

    @Test func `keeps every line in its place`() {
        for file in Tree.swift {
            #expect(file.code.count == file.lines.count, "\(file.path)")
        }
    }
}
