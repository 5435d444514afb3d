// `${NAME}` in strings.
import Testing

@testable import Configuration

@Suite struct `Variables` {
    private static let environment = ["A": "1", "EMPTY": "", "NESTED": "${A}", "_x9": "y"]

    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("${A}", "1"), ("x${A}y${A}", "x1y1"), ("${B:-2}", "2"),
        ("${A:-2}", "1"), ("${EMPTY}", ""), ("${EMPTY:-2}", "2"), ("${B:-}", ""), ("${_x9}", "y"),
        ("$A", "$A"), ("$", "$"), ("$$", "$$"), ("$${A}", "${A}"), ("$$${A}", "$${A}"),
        ("a$${", "a${"), ("${NESTED}", "${A}"), ("${B:-a:-b}", "a:-b"), ("é${A}é", "é1é"),
    ])
    func `are replaced`(_ text: String, _ expanded: String) throws {
        #expect(try expand(text, Self.environment) == expanded)
    }

    @Test(
        arguments: [
            ("${B}", .missing("B")), ("${A", .unclosed), ("${}", .badName("")),
            ("${1A}", .badName("1A")), ("${A-B}", .badName("A-B")), ("${A B:-x}", .badName("A B")),
            ("${é:-1}", .badName("é")),
        ] as [(String, VariableError)]
    )
    func `are refused when they have no value`(_ text: String, _ error: VariableError) {
        #expect(throws: error) { try expand(text, Self.environment) }
    }

    @Test(arguments: ["", "${A}", "$${A}", "$", "$$", "a${b$${c", "${", "$$$${"])
    func `stay text when escaped`(_ text: String) throws {
        #expect(try expand(escapingVariables(text), [:]) == text)
    }

    @Test func `may stand for numbers and flags`() throws {
        let loaded = load(
            text(
                top: "loops: \"${N}\", watch: \"${W:-true}\"",
                pool: "dns: { name: 'm', port: '${P}' }"
            ),
            environment: ["N": "3", "P": "5000"]
        )
        let configuration = try loaded.checked()
        #expect(configuration.loops == 3)
        #expect(configuration.watch)
        #expect(configuration.pools[0].source == .dns(Configuration.DNS(name: "m", port: 5000)))
    }
}
