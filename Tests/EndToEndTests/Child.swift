// A process of the tests' own: started with its output going to files, watched, ended for sure.

import Foundation
import Glibc

/// A started program.
///
/// Not Foundation's Process: that one learns of an end through a descriptor which grandchildren
/// inherit, and here it matters to know who has ended and who has not.
final class Child {
    let name: String
    let pid: pid_t
    private let output: URL
    private let errors: URL
    private var ended: Int32?

    /// Starts a program in `folder`, with `environment` on top of the tests' own.
    init(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: URL,
        named name: String
    ) throws {
        self.name = name
        output = folder.appendingPathComponent("\(name).out")
        errors = folder.appendingPathComponent("\(name).err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.path, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors.path, flags, 0o600)
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        var started: pid_t = 0
        let result = withStrings([program] + arguments) { arguments in
            withStrings(variables.map { "\($0.key)=\($0.value)" }) { environment in
                posix_spawnp(&started, program, &actions, nil, arguments, environment)
            }
        }
        guard result == 0 else {
            throw Missing(
                description: "cannot start \(program): \(String(cString: strerror(result)))"
            )
        }
        pid = started
    }

    /// What it has written to standard output so far.
    var outputText: String { text(of: output) }
    /// What it has written to standard error so far.
    var errorText: String { text(of: errors) }

    private func text(of file: URL) -> String {
        // A file that is not there yet is one with nothing in it.
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    }

    /// How it ended, as `waitpid` has it; nil while it runs.
    var status: Int32? {
        if let ended { return ended }
        var status: Int32 = 0
        guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
        ended = status
        return status
    }

    /// Its exit code, once it has ended; 128 and more for a signal, as a shell has it.
    func exitCode(within limit: Duration = .seconds(10)) async throws -> Int32 {
        let status = try await eventually("the end of \(name)", within: limit) { self.status }
        return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
    }

    func send(_ signal: Int32) {
        guard status == nil else { return }
        kill(pid, signal)
    }

    /// Ends it now, if it still runs.
    func end() {
        guard status == nil else { return }
        kill(pid, SIGCONT)
        kill(pid, SIGKILL)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
        ended = status
    }
}

/// Lends C strings with a null behind the last.
private func withStrings<Result>(
    _ strings: [String],
    _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let copies = strings.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    return body(copies + [nil])
}

/// The parents of a process, the nearest first.
func ancestors(of pid: pid_t) -> [pid_t] {
    var line: [pid_t] = []
    var current = pid
    while current > 1, line.count < 16, let stat = ProcessStat(current) {
        line.append(stat.parent)
        current = stat.parent
    }
    return line
}

/// Whether a process is there and has not ended.
func isRunning(_ pid: pid_t) -> Bool { ProcessStat(pid) != nil }

/// The processes whose arguments contain `text`.
func processes(withArgument text: String) -> [pid_t] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { pid_t($0) }.filter { pid in
        // It may have ended since it was listed.
        let line = try? Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/cmdline"))
        return String(decoding: line ?? Data(), as: UTF8.self).contains(text) && isRunning(pid)
    }
}

/// What the kernel says of a process that has not ended.
private struct ProcessStat {
    let parent: pid_t

    init?(_ pid: pid_t) {
        guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
            let parenthesis = text.lastIndex(of: ")")
        else { return nil }
        let fields = text[text.index(after: parenthesis)...].split(separator: " ")
        guard fields.count > 1, fields[0] != "Z", fields[0] != "X", let parent = pid_t(fields[1])
        else { return nil }
        self.parent = parent
    }
}
