// Processes that behave badly, and a guard that is killed: the supervisor's thread survives all.
import Glibc
import Testing

@testable import Processes

@Suite(.timeLimit(.minutes(2))) struct `The supervisor thread` {
    @Test func `restarts what exits at once, with growing pauses, at one endpoint`() async throws {
        let supervised = try Supervised("exit 3") { options in
            options.backoffMin = .milliseconds(1)
            options.backoffMax = .milliseconds(8)
        }
        try await supervised.run { _, recorder in
            let record = try await recorder.until { Self.pauses($0).count == 6 }
            #expect(Self.pauses(record) == [1, 2, 4, 8, 8, 8].map { .milliseconds($0) })
            let endpoints = Set(record.changes.flatMap { $0 }.map(\.endpoint))
            #expect(endpoints.count == 1)
        }
    }

    @Test func `says when there is no such command, and tries again`() async throws {
        let command = ["no-such-program-here"]
        let supervised = try Supervised(command: command) { $0.backoffMin = .milliseconds(1) }
        try await supervised.run { _, recorder in
            let record = try await recorder.until { $0.events.count >= 2 }
            let error = ProcessError.commandNotFound("no-such-program-here")
            #expect(
                record.events.prefix(2) == [
                    .startFailed(replica: "sales-1", error: error, retryIn: .milliseconds(1)),
                    .startFailed(replica: "sales-1", error: error, retryIn: .milliseconds(2)),
                ]
            )
            #expect(record.changes.isEmpty)
        }
    }

    @Test func `survives a flood of output, and stays awake`() async throws {
        let supervised = try Supervised("exec yes") { options in
            (options.min, options.max) = (1, 2)
            options.outputBurstBytes = 10_000
            options.outputBytesPerSecond = 100_000
        }
        try await supervised.run { supervisor, recorder in
            try await recorder.until { $0.lines.contains { $0.hasSuffix("too much output") } }
            supervisor.setDesired(2)
            try await recorder.until { $0.replicas.count == 2 }
            #expect(supervisor.linesLeftOut > 1_000)
            #expect(supervisor.stopAll(within: .seconds(60)))
        }
    }

    @Test func `survives a line without end`() async throws {
        let supervised = try Supervised("head -c 1000000 /dev/zero; echo; exec sleep 1000")
        try await supervised.run { _, recorder in
            let record = try await recorder.until { $0.lines.count == 1 }
            #expect(record.lines[0].unicodeScalars.count < 9_000)
            #expect(record.lines[0].hasSuffix(" …"))
        }
    }

    @Test func `ends the group of a process that crashed`() async throws {
        let script = "sleep 1000 & echo $!; exit 1"
        let supervised = try Supervised(script) { $0.backoffMin = .seconds(60) }
        try await supervised.run { _, recorder in
            let record = try await recorder.until {
                $0.lines.count == 1 && Self.pauses($0).count == 1
            }
            let grandchild = try #require(Int32(record.texts[0]))
            #expect(ProcessTable.waitForEnd(of: grandchild))
        }
    }

    @Test func `takes a new port when somebody took the old one`() async throws {
        let supervised = try Supervised("read line; exit 1") { $0.backoffMin = .milliseconds(50) }
        try await supervised.run { _, recorder in
            let first = try await recorder.until { $0.replicas.count == 1 }.replicas[0].endpoint
            let port = try #require(first.split(separator: ":").last.flatMap { Int($0) })
            let listener = try Listener(port: port)
            try await recorder.until { record in
                record.replicas.first.map { $0.restarts > 0 && $0.endpoint != first } ?? false
            }
            listener.close()
        }
    }

    @Test func `replaces a guard that was killed, and tells it all groups`() async throws {
        let script = "sleep 1000 & echo $!; wait"
        let supervised = try Supervised(script)
        try await supervised.run { supervisor, recorder in
            try await recorder.until { $0.lines.count == 1 }
            let first = supervisor.guardPID
            System.signal(first, SIGKILL)
            let record = try await recorder.until { record in
                record.events.contains { if case .guardReplaced = $0 { true } else { false } }
            }
            #expect(supervisor.guardPID != first)
            #expect(ProcessTable.isAlive(supervisor.guardPID))
            #expect(record.replicas.map(\.restarts) == [0])
        }
    }

    @Test func `collects its guard when it ends`() async throws {
        try await Supervised("exec sleep 1000").run { supervisor, recorder in
            try await recorder.until { $0.replicas.count == 1 }
            let guardPID = supervisor.guardPID
            #expect(supervisor.stopAll(within: .zero))
            #expect(kill(guardPID, 0) != 0)
        }
    }

    private static func pauses(_ record: Recorder.Record) -> [Duration] {
        record.events.compactMap { event in
            if case .exited(_, _, _, _, let restartIn) = event { restartIn } else { nil }
        }
    }
}
