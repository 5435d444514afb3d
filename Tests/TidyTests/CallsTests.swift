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
        Ban(pattern: #"\bnonisolated\(unsafe\)|@preconcurrency"#),
        Ban(pattern: #"\bassumeIsolated\b"#, allowed: ["Sources/Transport/Loop.swift"]),
        // They resume by way of the global pool; a loop's tasks have `Parking` and its `yield`.
        Ban(pattern: #"\bTask\.yield\b|\bwith\w*Continuation\b"#),
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
        for file in Tree.sources {
            for line in try file.lines(with: #"\btry\?"#, inCode: true) {
                let isExplained = file.lines[max(0, line - 12)...line].contains {
                    $0.contains("//")
                }
                #expect(isExplained, "\(file.path):\(line + 1): \(file.lines[line])")
            }
        }
    }

    @Test func `no note of work left to do`() throws {
        // The rules themselves have to name what they forbid.
        for file in Tree.files where !file.path.hasPrefix("Tests/TidyTests/") {
            for line in try file.lines(with: #"\b(TODO|FIXME|XXX|HACK)\b"#) {
                Issue.record("\(file.path):\(line + 1): \(file.lines[line])")
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

    @Test(arguments: [
        "Task { }", "Task(priority: .low) {", "Task.detached {", "try! f()", "x as! Y",
        "let a = b!",
        "f()!", "a[0]!.c", "var x: Int!", "let d = Date()", "ContinuousClock.now",
        "ContinuousClock().now", "xs.randomElement()", "Int.random(in: 1...2)", "async let x = y",
        "DispatchQueue.main", "print(x)", "public func f()", "fatalError()", "usleep(1)",
        "nonisolated(unsafe) var x", "await withTaskGroup(of: Int.self) {",
        "await Task.yield()", "await withCheckedContinuation { c in",
    ])
    func `each of these is seen`(code: String) throws {
        let file = TreeFile(path: "Sources/Any/A.swift", text: code)
        #expect(
            try (Self.bans + [Self.forced]).contains { try Self.lines(of: $0, in: file) == [0] }
        )
    }

    @Test(arguments: [
        "a != b", "if !x.isEmpty {", "Int.random(in: 1...2, using: &rng)", "network.random()",
        "HTTPDate()", "myTask(x)", "loop.spawn {", "parking.sleep(until: x)", "// try! it",
        "log(\"as! public\")", "republic()", "if let x, !y {",
    ])
    func `each of these is right`(code: String) throws {
        let file = TreeFile(path: "Sources/Any/A.swift", text: code)
        for ban in Self.bans + [Self.forced] { #expect(try Self.lines(of: ban, in: file) == []) }
    }

    /// Lines of a file that a ban forbids.
    private static func lines(of ban: Ban, in file: TreeFile) throws -> [Int] {
        let unless = try ban.unless.map { try Regex($0) }
        return try file.lines(with: ban.pattern, inCode: true).filter { line in
            guard let unless else { return true }
            return !file.code[line].contains(unless)
        }
    }

    private static func expectNone(of ban: Ban, in files: [TreeFile]) throws {
        for file in files where !ban.allowed.contains(where: file.path.hasPrefix) {
            for line in try lines(of: ban, in: file) {
                Issue.record("\(file.path):\(line + 1): \(file.lines[line])")
            }
        }
    }
}
