// The commands: what each is called, takes and does, and which one the arguments name.

internal import Configuration
internal import Gateway
internal import Transport

/// One command.
struct Command: Sendable {
    var name: String
    /// One line.
    var summary: String
    /// The words it must be given, for usage.
    var operands: [String] = []
    /// Whether the last operand may be repeated.
    var takesMoreOperands = false
    /// Whether a command line of others stands after `--`.
    var takesRest = false
    var options: [CommandOption] = []
    /// With this option the operands may be left out.
    var operandsMayLackWith: String?
    /// What else there is to know.
    var details = ""
    var body: @Sendable (Arguments) throws(UsageError) -> ExitCode

    /// The command line in short.
    var usage: String {
        var words = ["sluice", name]
        if options.count > 3 {
            words.append("[OPTION…]")
        } else {
            words += options.map { "[--\($0.name)\($0.value.map { " \($0)" } ?? "")]" }
        }
        words += operands
        if takesMoreOperands { words[words.count - 1] += "…" }
        if takesRest { words.append("-- COMMAND…") }
        return words.joined(separator: " ")
    }

    /// The answer to `--help`.
    var help: String {
        var text = "\(name): \(summary)\n\nusage: \(usage)\n"
        if !details.isEmpty { text += "\n\(details)\n" }
        if !options.isEmpty {
            text += "\noptions:\n"
            text += columns(
                options.map { option in
                    let standard = option.standard.map { " (\($0))" } ?? ""
                    return [
                        "--\(option.name)\(option.value.map { " \($0)" } ?? "")",
                        option.summary + standard,
                    ]
                }
            )
        }
        return text
    }
}

/// All commands, in the order of the help.
let allCommands: [Command] =
    [serveCommand, runCommand, checkCommand, configCommand] + remoteCommands + [versionCommand]

private let versionCommand = Command(name: "version", summary: "says which sluice this is") {
    _ throws(UsageError) in
    say("sluice \(sluiceVersion)\n\(TLSLibrary.version)")
    return .fine
}

/// Runs what the arguments ask for.
func run(_ arguments: [String]) -> ExitCode {
    guard let name = arguments.first else {
        complain(overview, raw: true)
        return .usage
    }
    let rest = Array(arguments.dropFirst())
    switch name {
    case "--help", "-h", "help":
        return help(for: rest.first)
    case "--version", "-v":
        return run(["version"])
    default:
        break
    }
    guard let command = allCommands.first(where: { $0.name == name }) else {
        return refuse(unknownCommand(name))
    }
    // What stands after `--` is somebody else's.
    if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
        say(command.help, raw: true)
        return .fine
    }
    do throws(UsageError) {
        return try command.body(try Arguments(rest, for: command))
    } catch {
        complain(
            "\(name): \(error.text)\nusage: \(command.usage)\n`sluice \(name) --help` tells more"
        )
        return .usage
    }
}

private func help(for name: String?) -> ExitCode {
    guard let name else {
        say(overview, raw: true)
        return .fine
    }
    guard let command = allCommands.first(where: { $0.name == name }) else {
        return refuse(unknownCommand(name))
    }
    say(command.help, raw: true)
    return .fine
}

private func refuse(_ problem: String) -> ExitCode {
    complain(problem + "\n`sluice --help` lists the commands")
    return .usage
}

private func unknownCommand(_ name: String) -> String {
    let hint = nearest(to: name, among: allCommands.map(\.name))
    return "unknown command \(name)" + (hint.map { "; did you mean `sluice \($0)`?" } ?? "")
}

/// What `sluice --help` says.
private var overview: String {
    """
    sluice: the gateway in front of model replicas

    usage: sluice COMMAND …

    commands:
    \(columns(allCommands.map { [$0.name, $0.summary] }))
    `sluice COMMAND --help` tells more. Exit codes: 0 fine, 1 the input is wrong or the gateway
    says no, 2 usage, 3 could not start.

    """
}

/// Rows of two columns, indented.
func columns(_ rows: [[String]]) -> String {
    let width = rows.map { $0[0].count }.max() ?? 0
    return rows.map { row in
        "  \(row[0])\(String(repeating: " ", count: width - row[0].count))  \(row[1])\n"
    }.joined()
}
