// What the process tells its caller.

/// The exit codes; scripts rely on them.
enum ExitCode: Int32 {
    case fine = 0
    /// The input is wrong, or the gateway that was asked says no.
    case wrongInput = 1
    /// The command line is wrong.
    case usage = 2
    /// The gateway could not start: a port is taken, say.
    case cannotStart = 3
}
