import Testing

/// Who may import whom: one direction, as the layout says.
@Suite struct `Imports` {
    /// What each module may import.
    static let allowed: [String: Set<String>] = [
        "HTTPWire": [],
        "Balancing": [],
        "Configuration": ["FoundationEssentials"],
        "Telemetry": ["Synchronization"],
        "Kubernetes": ["FoundationEssentials"],
        "Processes": ["Glibc", "Synchronization", "CLinux"],
        "Transport": ["Glibc", "Synchronization", "CLinux", "COpenSSL"],
        "Gateway": [
            "HTTPWire", "Balancing", "Configuration", "Telemetry", "Kubernetes", "Processes",
            "Transport", "Synchronization",
        ],
        "sluice": [
            "Gateway", "Configuration", "Telemetry", "Transport", "FoundationEssentials",
            "Dispatch", "Synchronization", "Glibc",
        ],
        // A program of its own beside the gateway, on the same loop and parser.
        "StubReplica": ["Transport", "HTTPWire", "FoundationEssentials", "Glibc"],
    ]

    /// The modules imported in a file, each with its line.
    static func imports(of file: TreeFile) -> [(module: String, line: Int)] {
        file.code.enumerated().compactMap { index, line in
            let words = line.split(separator: " ")
            guard let place = words.firstIndex(of: "import"), place + 1 < words.count,
                words[..<place].allSatisfy({ Self.modifiers.contains($0) || $0.hasPrefix("@") })
            else { return nil }
            // `import struct Foundation.URL` imports Foundation.
            let name = Self.kinds.contains(words[place + 1]) ? words.last : words[place + 1]
            return (String(name?.prefix { $0 != "." } ?? ""), index + 1)
        }
    }

    private static let kinds: Set<Substring> = [
        "struct", "class", "enum", "func", "let", "var", "protocol", "typealias",
    ]
    private static let modifiers: Set<Substring> = [
        "internal", "package", "public", "private", "fileprivate",
    ]

    @Test func `every module of the sources has its rule`() {
        let modules = Set(Tree.sources.map(\.module))
        #expect(modules == Set(Self.allowed.keys))
    }

    @Test(arguments: Self.allowed.keys.sorted())
    func `a module imports only what the layout lets it`(module: String) {
        let allowed = Self.allowed[module] ?? []
        for file in Tree.sources where file.module == module {
            for (imported, line) in Self.imports(of: file) {
                #expect(allowed.contains(imported), "\(file.path):\(line): import \(imported)")
            }
        }
    }

    @Test func `nothing is imported as public or exported`() {
        for file in Tree.sources {
            for (number, line) in file.code.enumerated() {
                #expect(
                    !line.contains("@_exported") && !line.contains("public import"),
                    "\(file.path):\(number + 1)"
                )
            }
        }
    }
}
