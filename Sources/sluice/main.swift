// Arguments → command → exit code.

internal import Foundation

/// What the process tells its caller: 0 fine, 1 the input is wrong, 2 usage, 3 could not start.
enum ExitCode: Int32 {
    case fine = 0
    case wrongInput = 1
    case usage = 2
    case cannotStart = 3
}

let code = run(Array(CommandLine.arguments.dropFirst()))
exit(code.rawValue)
