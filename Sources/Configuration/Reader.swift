// What is gathered while a file is read: settings with their origins, known keys, problems.

/// What one reading of a file gathers; shared by all its sections, used by one task.
final class Reader {
    /// An unknown key, told when all known ones have been seen.
    private struct Stranger {
        var key: String
        var path: [PathStep]
        var pattern: String
    }

    /// More problems than anybody reads at once are not told.
    static let diagnosticsMax = 100

    let file: String
    let positions: Positions
    let environment: [String: String]

    /// Every setting in the order of reading.
    private(set) var settings: [Setting] = []
    /// The keys that may stand in a section, by the section's pattern.
    private(set) var knownKeys: [String: Set<String>] = [:]

    private(set) var diagnostics: [Diagnostic] = []
    /// How many problems were too many.
    private(set) var untold = 0
    private var strangers: [Stranger] = []
    /// Where problems are.
    private var spoiled: [[PathStep]] = []
    private var origins: [[PathStep]: Origin] = [:]

    init(file: String, positions: Positions, environment: [String: String]) {
        self.file = file
        self.positions = positions
        self.environment = environment
    }

    /// Notes a problem with the value at a path.
    func report(_ message: String, at path: [PathStep], hint: String? = nil) {
        spoiled.append(path)
        report(message, at: positions.value(at: path), hint: hint)
    }

    /// Notes a problem at a place.
    func report(
        _ message: String,
        at position: Position,
        hint: String? = nil,
        severity: Diagnostic.Severity = .error
    ) {
        guard diagnostics.count < Self.diagnosticsMax else {
            untold += 1
            return
        }
        diagnostics.append(
            Diagnostic(
                severity: severity,
                file: file,
                position: position,
                message: message,
                hint: hint,
                sourceLine: positions.line(position.line)
            )
        )
    }

    /// Whether there was a problem at a path or below it, so that later checks would mislead.
    func hasProblem(within path: [PathStep]) -> Bool {
        spoiled.contains { $0.starts(with: path) }
    }

    /// Notes a setting that was read, or was left to its default.
    func record(_ setting: Setting) {
        settings.append(setting)
        origins[setting.path] = setting.origin
    }

    /// Notes where a setting came from that was read in parts.
    func record(_ origin: Origin, of path: [PathStep]) {
        origins[path] = origin
    }

    /// Where the setting at a path came from, if it was read.
    func origin(of path: [PathStep]) -> Origin? {
        origins[path]
    }

    /// Makes a key known in all sections of a pattern.
    func know(_ key: String, in pattern: String) {
        knownKeys[pattern, default: []].insert(key)
    }

    /// Notes the keys of a section that nothing asked for.
    func noteStrangers(in section: Section) {
        for key in section.members.keys where !knownKeys[section.pattern, default: []].contains(key)
        {
            strangers.append(Stranger(key: key, path: section.path, pattern: section.pattern))
        }
    }

    /// Reports every unknown key, with what was probably meant.
    func reportStrangers() {
        for stranger in strangers {
            spoiled.append(stranger.path + [.key(stranger.key)])
            let place = stranger.pattern.isEmpty ? "" : " in `\(stranger.pattern)`"
            let names = knownKeys[stranger.pattern, default: []]
            let hint =
                nearest(to: stranger.key, among: names).map { "did you mean `\($0)`?" }
                ?? elsewhere(stranger.key)
                ?? "known here: \(names.sorted().joined(separator: ", "))"
            report(
                "unknown setting `\(stranger.key)`\(place)",
                at: positions.key(stranger.key, at: stranger.path),
                hint: hint
            )
        }
    }

    /// Other places where a key is known.
    private func elsewhere(_ key: String) -> String? {
        let places = knownKeys.filter { $0.value.contains(key) }.keys.sorted().prefix(3)
        guard !places.isEmpty else { return nil }
        let list = places.map { $0.isEmpty ? "the top level" : "`\($0)`" }
        return "`\(key)` belongs in \(list.joined(separator: " or "))"
    }
}
