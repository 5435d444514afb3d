// What can go wrong with local processes, in words an operator can act on.

/// Why a process could not be started or watched.
///
/// All of these are ours, never a client's; each start is tried again after a pause.
package enum ProcessError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The command is empty, or an argument or setting holds a NUL.
    case invalidCommand(String)
    /// No such program, neither as a path nor in PATH.
    case commandNotFound(String)
    /// The program is there but may not be run.
    case notExecutable(String)
    /// No free port was found.
    case noFreePort
    /// The system refused a call; `code` is its errno.
    case system(call: String, code: Int32)

    /// What went wrong, for a log line.
    package var description: String {
        switch self {
        case .invalidCommand(let why): "invalid command: \(why)"
        case .commandNotFound(let name): "command not found: \(name)"
        case .notExecutable(let name): "not executable: \(name)"
        case .noFreePort: "no free port for the process"
        case .system(let call, let code): "\(call) failed: \(System.message(of: code))"
        }
    }
}
