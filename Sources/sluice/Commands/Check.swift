// `sluice check` and `sluice config`: what is wrong with a file, and what is in force.

internal import Configuration
internal import Gateway
internal import Transport

let checkCommand = Command(
    name: "check",
    summary: "tells every problem of configuration files",
    operands: ["FILE"],
    takesMoreOperands: true,
    details: """
        Reads the certificates and keys that a file names, too, and warns of those that expire
        within 14 days. Starts nothing and connects to nothing. `-` is standard input.
        """
) { arguments throws(UsageError) in
    var code = ExitCode.fine
    for file in arguments.operands where !check(file) { code = .wrongInput }
    return code
}

/// Tells the problems of one file; whether it can be used.
func check(_ file: String) -> Bool {
    do throws(LoadFailure) {
        let loaded = try load(file)
        for problem in loaded.diagnostics { complain(problem.description + "\n", raw: true) }
        var errors = loaded.diagnostics.count { $0.severity == .error }
        var warnings = loaded.diagnostics.count - errors
        if let configuration = loaded.configuration {
            let now = wallClockNanoseconds() / 1_000_000_000
            let files = TLSMaterial.load(for: configuration, tickets: TLSTickets(), at: now)
            for problem in files.problems { complain("\(file): error: \(problem)\n", raw: true) }
            for warning in files.warnings { complain("\(file): warning: \(warning)\n", raw: true) }
            errors += files.problems.count
            warnings += files.warnings.count
        }
        let parts = [count(errors, "error"), count(warnings, "warning")].compactMap(\.self)
        say("\(file): \(parts.isEmpty ? "fine" : parts.joined(separator: ", "))")
        return errors == 0 && loaded.configuration != nil
    } catch {
        complain(error.text + "\n", raw: true)
        return false
    }
}

private func count(_ number: Int, _ thing: String) -> String? {
    number == 0 ? nil : "\(number) \(thing)\(number == 1 ? "" : "s")"
}

let configCommand = Command(
    name: "config",
    summary: "shows every setting in force and where it comes from",
    operands: ["FILE"],
    options: [
        CommandOption(name: "json", summary: "as a file that gives this very configuration")
    ],
    details: "Secrets are hidden, or shown as the variable that holds them."
) { arguments throws(UsageError) in
    do throws(LoadFailure) {
        let loaded = try load(arguments.operands[0])
        for problem in loaded.diagnostics { complain(problem.description + "\n", raw: true) }
        guard loaded.configuration != nil else { return .wrongInput }
        say(
            arguments.has("json") ? loaded.effective.json() : loaded.effective.listing(),
            raw: true
        )
        return .fine
    } catch {
        complain(error.text + "\n", raw: true)
        return .wrongInput
    }
}
