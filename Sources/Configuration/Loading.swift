// From the text of a file to a checked configuration, or to the list of all its problems.

/// What a text holds.
package struct LoadedConfiguration: Sendable {
    /// The checked configuration; nil when a diagnostic is an error.
    package var configuration: Configuration?

    /// Every problem, in the order of the file; warnings too; about a hundred at most.
    package var diagnostics: [Diagnostic]

    /// Every setting with its value and origin; without meaning when there is no configuration.
    package var effective: EffectiveConfiguration

    /// The configuration, if the text is in order.
    ///
    /// Throws all diagnostics when at least one is an error.
    package func checked() throws(ConfigurationError) -> Configuration {
        guard let configuration else { throw ConfigurationError(diagnostics: diagnostics) }
        return configuration
    }
}

extension Configuration {
    /// A longer file is refused, 4 MiB.
    package static let fileBytesMax = 4 << 20

    /// Reads and checks a text.
    ///
    /// `file` is its name in messages, `environment` gives `${NAME}`. Pure: opens no file, resolves
    /// no name, looks at no clock.
    package static func load(
        text: String,
        file: String,
        environment: [String: String]
    ) -> LoadedConfiguration {
        let isTooLong = text.utf8.count > fileBytesMax
        let positions = Positions(of: isTooLong ? "" : text)
        let reader = Reader(file: file, positions: positions, environment: environment)
        var configuration: Configuration?
        if isTooLong {
            reader.report("the file is larger than \(formatSize(fileBytesMax))", at: [])
        } else {
            configuration = read(text, reader)
        }
        let diagnostics = inOrder(reader)
        let isRight = !diagnostics.contains { $0.severity == .error }
        return LoadedConfiguration(
            configuration: isRight ? configuration : nil,
            diagnostics: diagnostics,
            effective: EffectiveConfiguration(
                file: file,
                settings: reader.settings.filter { $0.value != nil }
            )
        )
    }

    /// Reads a text that is not too long; nil, with a report, if it is no JSON5 object.
    private static func read(_ text: String, _ reader: Reader) -> Configuration? {
        let document: JSONValue
        do throws(DocumentError) {
            document = try decodeDocument(text)
        } catch {
            if let mistake = reader.positions.mistake {
                let position = reader.positions.position(at: mistake.offset)
                reader.report(mistake.message, at: position, hint: mistake.hint)
            } else {
                reader.report("this is not valid JSON5", at: error.path)
            }
            return nil
        }
        for duplicate in reader.positions.duplicates {
            let first = reader.positions.position(at: duplicate.firstOffset)
            reader.report(
                "`\(duplicate.key)` stands here twice, first in line \(first.line)",
                at: reader.positions.position(at: duplicate.offset)
            )
        }
        var configuration = Configuration()
        let root = Item(reader: reader, path: [], pattern: "", value: document)
        let isObject = root.section(expected: "an object: { listeners: … }") { top in
            configuration = readConfiguration(top)
        }
        guard isObject else { return nil }
        reader.reportStrangers()
        check(configuration, reader)
        return configuration
    }

    /// The problems in the order of the file, each once.
    private static func inOrder(_ reader: Reader) -> [Diagnostic] {
        var seen: Set<Diagnostic> = []
        var diagnostics = reader.diagnostics.filter { seen.insert($0).inserted }
            .enumerated()
            .sorted { ($0.element.position, $0.offset) < ($1.element.position, $1.offset) }
            .map { $0.element }
        if reader.untold > 0, let last = diagnostics.last {
            var rest = last
            rest.message = "there are further problems, which are not listed"
            rest.hint = nil
            rest.severity = .error
            diagnostics.append(rest)
        }
        return diagnostics
    }
}
