// Real processes under supervision: started, tagged, scaled, stopped.
import Glibc
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(2))) struct `Process supervisor` {
    @Test func `gives each process a port of its own, and tells it`() async throws {
        let script = "printenv PORT; exec sleep 1000"
        try await Supervised(script, change: { ($0.min, $0.max) = (3, 3) }).run { _, recorder in
            let record = try await recorder.until { $0.replicas.count == 3 && $0.lines.count == 3 }
            let told = record.replicas.map { replica in
                "[\(replica.name)] \(replica.endpoint.split(separator: ":")[1])"
            }
            #expect(record.lines.sorted() == told.sorted())
            #expect(Set(record.texts).count == 3)
        }
    }

    @Test func `replaces the port in arguments`() async throws {
        let command = ["sh", "-c", "echo $0; exec sleep 1000", "--port=$PORT"]
        try await Supervised(command: command).run { _, recorder in
            let record = try await recorder.until { $0.replicas.count == 1 && $0.lines.count == 1 }
            let port = try #require(record.replicas[0].endpoint.split(separator: ":").last)
            #expect(record.lines == ["[sales-1] --port=\(port)"])
        }
    }

    @Test func `tags what a process writes to output and errors`() async throws {
        let script = "echo out; echo err >&2; printf unfinished; exec sleep 1000"
        try await Supervised(script, name: "chat").run { supervisor, recorder in
            try await recorder.until { $0.lines.count == 2 }
            supervisor.stop(within: .zero) { recorder.note { $0.isStopped = true } }
            let record = try await recorder.until(\.isStopped)
            #expect(record.lines == ["[chat-1] out", "[chat-1] err", "[chat-1] unfinished"])
        }
    }

    @Test func `shrinks the newest first, stopping it when it is drained`() async throws {
        let supervised = try Supervised("exec sleep 1000") { ($0.min, $0.max) = (1, 3) }
        try await supervised.run { supervisor, recorder in
            supervisor.setDesired(3)
            let three = try await recorder.until { $0.replicas.count == 3 }.replicas
            supervisor.setDesired(2)
            let two = try await recorder.until { $0.replicas.count == 2 }.replicas
            #expect(two.map(\.name) == ["sales-1", "sales-2"])
            #expect(ProcessTable.isAlive(three[2].pid))

            supervisor.drained(three[2].endpoint)
            let pid = three[2].pid
            let stopped = ProcessEvent.stopped(
                replica: "sales-3",
                pid: pid,
                how: "ended by signal 15"
            )
            try await recorder.until { $0.events.contains(stopped) }
            #expect(!ProcessTable.isAlive(pid))
            #expect(recorder.record.replicas == two)
        }
    }

    @Test func `stops a process that is never reported drained`() async throws {
        let supervised = try Supervised("exec sleep 1000") { options in
            (options.min, options.max) = (0, 1)
            options.drainTimeout = .milliseconds(1)
        }
        try await supervised.run { supervisor, recorder in
            supervisor.setDesired(1)
            try await recorder.until { $0.replicas.count == 1 }
            supervisor.setDesired(0)
            try await recorder.until { record in
                record.events.contains { if case .stopped = $0 { true } else { false } }
            }
        }
    }

    @Test func `kills what ignores the polite signal`() async throws {
        let script = "trap '' TERM; echo deaf; while :; do sleep 1; done"
        let supervised = try Supervised(script) { $0.stopTimeout = .milliseconds(20) }
        try await supervised.run { supervisor, recorder in
            let record = try await recorder.until { $0.lines.count == 1 && $0.replicas.count == 1 }
            supervisor.restart(record.replicas[0].endpoint)
            let killed = ProcessEvent.killed(replica: "sales-1", pid: record.replicas[0].pid)
            try await recorder.until { $0.events.contains(killed) }
        }
    }

    @Test func `restarts on demand, at the same endpoint`() async throws {
        try await Supervised("exec sleep 1000").run { supervisor, recorder in
            let before = try await recorder.until { $0.replicas.count == 1 }.replicas[0]
            supervisor.restart(before.endpoint)
            let after = try await recorder.until { $0.replicas.first?.restarts == 1 }.replicas[0]
            #expect(after.endpoint == before.endpoint)
            #expect(after.pid != before.pid)
        }
    }

    @Test func `leaves nobody behind when it stops`() async throws {
        let script = "sleep 1000 & echo $!; wait"
        try await Supervised(script).run { supervisor, recorder in
            let record = try await recorder.until { $0.lines.count == 1 && $0.replicas.count == 1 }
            let grandchild = try #require(Int32(record.texts[0]))
            #expect(ProcessTable.isAlive(grandchild))
            #expect(supervisor.stopAll(within: .seconds(60)))
            #expect(!ProcessTable.isAlive(record.replicas[0].pid))
            #expect(!ProcessTable.isAlive(grandchild))
            #expect(recorder.record.replicas.isEmpty)
        }
    }

    @Test func `lets the rest of a group finish in peace`() async throws {
        let finish =
            "(trap 'sleep 0.1; echo finished; exit' TERM; echo up; while :; do sleep 0.01; done)"
        try await Supervised("\(finish) & wait").run { supervisor, recorder in
            try await recorder.until { $0.lines.count == 1 }
            #expect(supervisor.stopAll(within: .seconds(60)))
            // The shell may have said "Terminated" of itself.
            #expect(recorder.record.texts.last == "finished")
        }
    }

    @Test func `stops once, whoever asks and how often`() async throws {
        try await Supervised("exec sleep 1000").run { supervisor, recorder in
            try await recorder.until { $0.replicas.count == 1 }
            let count = Recorder()
            for _ in 0..<3 {
                supervisor.stop(within: .seconds(60)) { count.note { $0.lines.append("stopped") } }
            }
            try await count.until { $0.lines.count == 3 }
            supervisor.stop(within: .seconds(60)) { count.note { $0.lines.append("stopped") } }
            #expect(count.record.lines.count == 4)
            #expect(supervisor.stopAll(within: .zero))
        }
    }

    @Test func `stops before it ever started`() throws {
        let options = ProcessOptions(name: "sales", command: ["sleep", "1000"])
        let supervisor = try ProcessSupervisor(options, callbacks: Recorder().callbacks)
        #expect(supervisor.stopAll(within: .zero))
    }
}
