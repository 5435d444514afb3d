// What the tests of real processes share: a recorder to wait on, a listener, looks at /proc.
import Foundation
import Synchronization
import Testing

@testable import Processes

/// Records what a supervisor tells, and lets a test wait until it has told enough.
final class Recorder: Sendable {
    struct Record: Sendable {
        var changes: [[ReplicaProcess]] = []
        var lines: [String] = []
        var events: [ProcessEvent] = []
        var isStopped = false

        var replicas: [ReplicaProcess] {
            changes.last ?? []
        }

        /// The text of each line without its tag.
        var texts: [Substring] {
            lines.map { $0.drop { $0 != " " }.dropFirst() }
        }
    }

    private struct Waiter {
        let condition: @Sendable (Record) -> Bool
        let continuation: CheckedContinuation<Record, any Error>
    }

    private struct State {
        var record = Record()
        var waiters: [Int: Waiter] = [:]
        var waitersEver = 0
    }

    private let state = Mutex(State())

    var callbacks: ProcessSupervisor.Callbacks {
        ProcessSupervisor.Callbacks(
            onChange: { change in self.note { $0.changes.append(change) } },
            onLog: { line in self.note { $0.lines.append(line) } },
            onEvent: { event in self.note { $0.events.append(event) } }
        )
    }

    var record: Record {
        state.withLock { $0.record }
    }

    func note(_ change: (inout Record) -> Void) {
        let (record, ready) = state.withLock { state in
            change(&state.record)
            let ready = state.waiters.filter { $0.value.condition(state.record) }
            ready.keys.forEach { state.waiters[$0] = nil }
            return (state.record, ready.values.map(\.continuation))
        }
        for continuation in ready {
            continuation.resume(returning: record)
        }
    }

    /// Waits until `condition` holds; the suite's time limit bounds it.
    @discardableResult
    func until(_ condition: @escaping @Sendable (Record) -> Bool) async throws -> Record {
        let number = state.withLock { state in
            state.waitersEver += 1
            return state.waitersEver
        }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let record: Record? = state.withLock { state in
                    if condition(state.record) {
                        return state.record
                    }
                    state.waiters[number] = Waiter(
                        condition: condition,
                        continuation: continuation
                    )
                    return nil
                }
                if let record {
                    continuation.resume(returning: record)
                }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: number) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}

/// A started supervisor and its recorder; stops, without patience, when the test ends.
struct Supervised {
    let supervisor: ProcessSupervisor
    let recorder = Recorder()

    /// Supervises `sh -c script`.
    init(
        _ script: String,
        name: String = "sales",
        change: (inout ProcessOptions) -> Void = { _ in }
    ) throws {
        try self.init(command: ["sh", "-c", script], name: name, change: change)
    }

    init(
        command: [String],
        name: String = "sales",
        change: (inout ProcessOptions) -> Void = { _ in }
    ) throws {
        var options = ProcessOptions(name: name, command: command)
        change(&options)
        supervisor = try ProcessSupervisor(options, callbacks: recorder.callbacks)
        try supervisor.start()
    }

    /// Runs `body`, then stops everything.
    func run(_ body: (ProcessSupervisor, Recorder) async throws -> Void) async throws {
        do {
            try await body(supervisor, recorder)
        } catch {
            await stop()
            throw error
        }
        await stop()
    }

    private func stop() async {
        await withCheckedContinuation { continuation in
            supervisor.stop(within: .zero) { continuation.resume() }
        }
    }
}

/// Somebody who listens on a port.
struct Listener {
    private let descriptor: Int32

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let bound = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        try #require(bound == 0 && listen(descriptor, 1) == 0)
    }

    func close() {
        Glibc.close(descriptor)
    }
}

/// What /proc says about a process.
enum ProcessTable {
    /// Whether it runs: there, and not a zombie that somebody else has to collect.
    static func isAlive(_ pid: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
            return false
        }
        // "pid (comm) state …", where comm may hold anything.
        let state = stat.split(separator: ")").last?.split(separator: " ").first
        return state != "Z" && state != "X"
    }

    /// Waits, at most a minute, until it has ended.
    static func waitForEnd(of pid: Int32) -> Bool {
        let ended = System.pidDescriptor(pid)
        guard let descriptor = ended.ifAny else {
            return !isAlive(pid)
        }
        var interests = [Interest(descriptor)]
        System.wait(for: &interests, atMost: .seconds(60))
        return interests[0].isReady
    }
}
