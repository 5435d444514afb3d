// From text to configuration: all problems at once, in order, never without a place.
import Testing

@testable import Configuration

@Suite struct `Loading` {
    @Test func `fills in every default`() throws {
        let configuration = try load(text()).checked()
        #expect(configuration.pools == [.init(name: "sales", source: .replicas([]))])
        #expect(configuration.routes == [.init(name: "/", pool: "sales")])
        var plain = Configuration()
        plain.listeners = configuration.listeners
        plain.pools = configuration.pools
        plain.routes = configuration.routes
        #expect(configuration == plain)
    }

    @Test func `keeps the order of pools`() throws {
        let names = ["zebra", "alpha", "9", "m.n-o_p"]
        let pools = names.map { "'\($0)': { replicas: [] }" }.joined(separator: ", ")
        let routes = names.map { "{ pool: '\($0)', path: '/\($0)' }" }.joined(separator: ", ")
        let whole =
            "{ listeners: [{ address: '[::1]:0' }], pools: { \(pools) }, routes: [\(routes)] }"
        #expect(try load(whole).checked().pools.map { $0.name } == names)
    }

    @Test func `tells all problems in the order of the file`() {
        let loaded = load(text(top: "loops: 0, zebra: 1", pool: "replicas: ['x'], stall: 5"))
        #expect(loaded.diagnostics.map { $0.line } == [3, 3, 5, 5])
        #expect(
            loaded.diagnostics.map { $0.position }
                == loaded.diagnostics.map { $0.position }.sorted()
        )
        #expect(loaded.configuration == nil)
    }

    @Test func `throws every diagnostic`() {
        let loaded = load("{ listeners: 1 }")
        let error = #expect(throws: ConfigurationError.self) { try loaded.checked() }
        #expect(error?.diagnostics == loaded.diagnostics)
        #expect(error?.description.contains("test.json5:1:14: error: `listeners`") == true)
    }

    @Test func `gives a configuration in spite of warnings`() throws {
        let loaded = load(text(top: "trustedProxies: ['::/0']"))
        #expect(loaded.diagnostics.map { $0.severity } == [.warning])
        #expect(loaded.configuration != nil)
    }

    @Test func `stops telling when there are too many problems`() {
        let replicas = String(repeating: "'x', ", count: 500)
        let loaded = load(text(pool: "replicas: [\(replicas)]"))
        #expect(loaded.diagnostics.count == Reader.diagnosticsMax + 1)
        #expect(messages(loaded).last == "there are further problems, which are not listed")
    }

    @Test func `refuses a file that is too large`() {
        let loaded = load(String(repeating: " ", count: Configuration.fileBytesMax + 1))
        #expect(messages(loaded) == ["the file is larger than 4MiB"])
    }

    @Test func `survives any damage of a real file`() {
        var random = SplitMix(state: 42)
        let whole = Array(
            text(
                top: "admin: { token: 'x' }, defaults: { queue: { limit: 5 } }",
                pool: "replicas: ['10.0.0.1:5000', { address: 'm:1', weight: 2 }], stall: 'off'",
                route: "path: { exact: '/x' }, methods: ['GET'], headers: { A: true }"
            ).utf8
        )
        for _ in 0..<500 {
            var bytes = whole
            let start = Int.random(in: bytes.indices, using: &random)
            let end = min(bytes.count, start + Int.random(in: 0...4, using: &random))
            let from = Int.random(in: bytes.indices, using: &random)
            bytes.replaceSubrange(start..<end, with: whole[from...].prefix(3))
            let loaded = load(String(decoding: bytes, as: UTF8.self))
            let hasError = loaded.diagnostics.contains { $0.severity == .error }
            #expect(hasError == (loaded.configuration == nil))
        }
    }
}
