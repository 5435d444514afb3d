import Testing

/// Every source has its test, and nothing lies around.
@Suite struct `Files` {
    /// Sources without a test file of their name, and where they are tested instead.
    static let testedElsewhere: [String: String] = [
        // The two programs are tested from outside, by EndToEndTests.
        "sluice": "EndToEndTests",
        "StubReplica": "EndToEndTests",
    ]

    /// Single sources whose promises only hold together with others.
    static let exempt: [String: String] = [
        "Transport/Network.swift": "a protocol: its two conformers are tested",
        "Transport/TLSBridge.swift": "called back by OpenSSL only: TLSSessionTests",
        "Gateway/ProcessPool.swift": "real processes: LocalProcessTests",
        "Gateway/Kubernetes/ObjectWatch.swift": "steps of a reflector: EndpointDiscoveryTests",
        "Gateway/Kubernetes/IngressWriter.swift": "requests to an API: IngressControllerTests",
        "Gateway/Start.swift": "a countdown of listeners: GatewayTests",
        "Gateway/Lane.swift": "a loop's members, used by every test of the module",
    ]

    @Test func `every source has a test file of its name`() {
        let tests = Set(Tree.tests.map(\.name))
        let missing = Tree.sources.filter { file in
            let key = file.path.dropFirst("Sources/".count)
            return Self.testedElsewhere[file.module] == nil && Self.exempt[String(key)] == nil
                && !tests.contains(file.stem + "Tests.swift")
        }
        #expect(missing.isEmpty, "\(missing.map(\.path).joined(separator: "\n"))")
    }

    @Test func `every exemption is still needed`() {
        let tests = Set(Tree.tests.map(\.name))
        let paths = Set(Tree.sources.map(\.path))
        for key in Self.exempt.keys {
            let file = TreeFile(path: "Sources/" + key, text: "")
            #expect(paths.contains(file.path), "\(file.path) is gone")
            #expect(!tests.contains(file.stem + "Tests.swift"), "\(file.path) has its test")
        }
    }

    @Test func `every test target has its folder, and every folder its target`() {
        let manifest = Tree.text(of: "Package.swift")
        for module in Set(Tree.tests.map(\.module)) {
            let isTarget = manifest.contains("name: \"\(module)\"")
            #expect(isTarget, "Tests/\(module)")
        }
    }

    @Test func `every test can fail`() throws {
        let pattern = try Regex(#"#expect|#require|Issue\.record|confirmation|XCTAssert"#)
        for file in Tree.tests where file.name.hasSuffix("Tests.swift") {
            #expect(file.text.contains(pattern), "\(file.path) expects nothing")
        }
    }
}
