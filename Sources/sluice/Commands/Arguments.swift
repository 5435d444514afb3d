// The words after a command, sorted into options and operands.

internal import Configuration

/// An option that a command takes.
struct CommandOption: Sendable {
    /// Its name without the dashes.
    var name: String
    /// What its value is, for the help; nil: it has none.
    var value: String?
    var summary: String
    /// What it is when it is not given, for the help.
    var standard: String?
}

/// Why a command line cannot be understood.
struct UsageError: Error, Equatable {
    var text: String
}

/// What a command was given.
struct Arguments: Sendable, Equatable {
    /// The options' values by name; empty for those without.
    private(set) var options: [String: String] = [:]
    /// The words that are no options.
    private(set) var operands: [String] = []
    /// The words after `--`.
    private(set) var rest: [String] = []

    /// Sorts the words of a command.
    ///
    /// - Throws: when an option is unknown or lacks its value, or a word is one too many or
    ///   missing.
    init(_ words: [String], for command: Command) throws(UsageError) {
        var words = words[...]
        while let word = words.popFirst() {
            if word == "--" {
                rest = Array(words)
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            try take(word, &words, of: command)
        }
        try checkOperands(of: command)
    }

    private mutating func take(
        _ word: String,
        _ words: inout ArraySlice<String>,
        of command: Command
    ) throws(UsageError) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0].drop { $0 == "-" })
        guard word.hasPrefix("--"), let option = command.options.first(where: { $0.name == name })
        else {
            let hint = nearest(to: name, among: command.options.map(\.name))
            throw UsageError(
                text: "unknown option \(parts[0])" + (hint.map { "; did you mean --\($0)?" } ?? "")
            )
        }
        guard let what = option.value else {
            if parts.count == 2 { throw UsageError(text: "--\(name) takes no value") }
            options[name] = ""
            return
        }
        if parts.count == 2 {
            options[name] = String(parts[1])
        } else if let value = words.popFirst() {
            options[name] = value
        } else {
            throw UsageError(text: "--\(name) needs a value: --\(name) \(what)")
        }
    }

    private func checkOperands(of command: Command) throws(UsageError) {
        let mayLack = command.operandsMayLackWith.map { has($0) } ?? false
        if operands.count < command.operands.count, !mayLack {
            throw UsageError(text: "\(command.operands[operands.count]) is missing")
        }
        if operands.count > command.operands.count && !command.takesMoreOperands {
            let extra = operands[command.operands.count]
            throw UsageError(
                text: "unexpected argument \(extra)"
                    + (command.takesRest ? "; the command stands after --" : "")
            )
        }
        if !command.takesRest, let extra = rest.first {
            throw UsageError(text: "unexpected argument \(extra)")
        }
        if command.takesRest && rest.isEmpty {
            throw UsageError(text: "the command is missing: -- COMMAND…")
        }
    }

    /// Whether an option was given.
    func has(_ name: String) -> Bool { options[name] != nil }

    /// A whole number within bounds; `standard` when the option is not given.
    func number(
        _ name: String,
        in bounds: ClosedRange<Int>,
        else standard: Int
    ) throws(UsageError) -> Int {
        guard let text = options[name] else { return standard }
        guard let number = Int(text), bounds.contains(number) else {
            throw UsageError(
                text: "--\(name) takes a number from \(bounds.lowerBound) to "
                    + "\(bounds.upperBound), found \(text)"
            )
        }
        return number
    }
}
