import Testing

/// Calls that would let time, tasks or chance in beside the seam, or end the process.
@Suite struct `Calls` {
    /// A word of code and where it may stand.
    struct Ban: Sendable, CustomTestStringConvertible {
        let pattern: String
        /// Paths, or beginnings of paths, that may use it.
        var allowed: [String] = []
        /// Also right when this stands in the same line.
        var unless: String?
        var testDescription: String { pattern }
    }

    /// In `Sources`: everything but the machine and the two programs' own main threads.
    static let bans: [Ban] = [
        Ban(pattern: #"\bTask\s*(\(|\{)"#, allowed: ["Sources/Transport/"]),
        Ban(pattern: #"\bTask\.(detached|sleep|immediate)"#),
        Ban(pattern: #"\bwith(Throwing|Discarding)*TaskGroup"#),
        Ban(pattern: #"\basync\s+let\b"#),
        Ban(
            pattern: #"\bDispatchQueue\b"#,
            allowed: ["Sources/sluice/Commands/"]
        ),
        Ban(
            pattern: #"\bContinuousClock(\(\))?\.now|\bSuspendingClock\b"#,
            allowed: ["Sources/Transport/", "Sources/sluice/", "Sources/StubReplica/"]
        ),
        Ban(pattern: #"\b(Date|NSDate)\(\)|\bDate\.now\b"#, allowed: ["Sources/sluice/"]),
        Ban(
            pattern: #"\.(random|randomElement|shuffled|shuffle)\(|\bSystemRandomNumberGenerator"#,
            allowed: ["Sources/Transport/"],
            unless: #"using:|network\.random\(\)"#
        ),
        Ban(pattern: #"\b(usleep|nanosleep|Thread\.sleep)\("#),
        Ban(pattern: #"\btry!"#),
        Ban(pattern: #"\bfatalError\("#),
        Ban(pattern: #"\bas!"#),
        Ban(
            pattern: #"\bprint\("#,
            allowed: ["Sources/Configuration/", "Sources/sluice/", "Sources/StubReplica/"]
        ),
        Ban(pattern: #"\bpublic\b|\bopen\s+class\b"#),
        Ban(pattern: #"\bnonisolated\(unsafe\)|@preconcurrency|\bassumeIsolated\b"#),
    ]

    /// Force unwraps, as far as one line of code shows them: `x!`, `f()!`, `a[0]!`, `T!`.
    static let forced = Ban(pattern: #"[\w\)\]\}>]!(?!=)"#)

    @Test(arguments: bans + [forced])
    func `what is banned is not used`(ban: Ban) throws {
        try Self.expectNone(of: ban, in: Tree.sources)
    }

    @Test func `unchecked sendability stands only in the machine`() throws {
        try Self.expectNone(
            of: Ban(pattern: #"@unchecked\s+Sendable"#, allowed: ["Sources/Transport/"]),
            in: Tree.sources
        )
    }

    @Test(arguments: [
        "Sources/Configuration/", "Sources/Telemetry/", "Sources/Gateway/", "Sources/Balancing/",
        "Sources/sluice/", "Sources/StubReplica/",
    ])
    func `nothing unsafe outside the machine and the wire`(folder: String) throws {
        try Self.expectNone(
            of: Ban(pattern: #"\bunsafe\b|\bUnsafe(Mutable)?(Raw)?(Buffer)?Pointer\b|@unsafe\b"#),
            in: Tree.sources.filter { $0.path.hasPrefix(folder) }
        )
    }

    @Test func `a try that swallows its error says why`() throws {
        let pattern = try Regex(#"\btry\?"#)
        for file in Tree.sources {
            for (index, line) in file.code.enumerated() where line.contains(pattern) {
                let isExplained = file.lines[max(0, index - 12)...index].contains {
                    $0.contains("//")
                }
                #expect(isExplained, "\(file.path):\(index + 1): \(file.lines[index])")
            }
        }
    }

    @Test(arguments: [#"\b(TODO|FIXME|XXX|HACK)\b"#])
    func `no note of work left to do`(pattern: String) throws {
        let pattern = try Regex(pattern)
        for file in Tree.files where !Self.speaksOfRules(file) {
            for (index, line) in file.lines.enumerated() {
                #expect(!line.contains(pattern), "\(file.path):\(index + 1): \(line)")
            }
        }
    }

    @Test func `tests neither sleep nor force`() throws {
        let bans = [
            // Processes tell nobody when they change: they are looked at until a deadline.
            Ban(
                pattern: #"\bTask\.sleep|\b(usleep|nanosleep|Thread\.sleep)\("#,
                allowed: ["Tests/EndToEndTests/Polling.swift"]
            ),
            Ban(pattern: #"\btry!|\bas!|[\w\)\]\}>]!(?!=)"#),
        ]
        for ban in bans { try Self.expectNone(of: ban, in: Tree.tests) }
    }

    /// The rules themselves have to name what they forbid.
    private static func speaksOfRules(_ file: TreeFile) -> Bool {
        file.path.hasPrefix("Tests/TidyTests/")
    }

    private static func expectNone(of ban: Ban, in files: [TreeFile]) throws {
        let pattern = try Regex(ban.pattern)
        let unless = try ban.unless.map { try Regex($0) }
        for file in files where !ban.allowed.contains(where: file.path.hasPrefix) {
            for (index, line) in file.code.enumerated() where line.contains(pattern) {
                if let unless, line.contains(unless) { continue }
                Issue.record("\(file.path):\(index + 1): \(file.lines[index])")
            }
        }
    }
}
