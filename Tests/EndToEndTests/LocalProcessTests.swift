// Pools of local processes: started, watched, scaled, stopped, whatever the processes do.

import Foundation
import Glibc
import Testing

@Suite struct `Local processes` {
    @Test func `get a port each, and their lines are tagged`() async throws {
        try await onStage { stage in
            let sluice = try await stage.sluice(Stage.processes([], "min: 2, max: 2"))
            try await sluice.waitsForReady(2)
            let replicas = Set(try await sluice.status().pools.flatMap(\.replicas).map(\.endpoint))
            #expect(replicas.count == 2)
            for number in 1...2 {
                try await eventually("the first line of process \(number)") {
                    sluice.child.outputText.contains("[model-\(number)] listening at 127.0.0.1:")
                }
            }
        }
    }

    @Test func `come back within five seconds after a kill`() async throws {
        try await onStage { stage in
            let sluice = try await stage.sluice(Stage.processes([], "min: 2, max: 2"))
            try await sluice.waitsForReady(2)
            let victim = try #require(processes(ofStubsOf: sluice).first)
            kill(victim, SIGKILL)
            try await eventually("two replicas without \(victim)", within: .seconds(5)) {
                let now = processes(ofStubsOf: sluice)
                guard now.count == 2, !now.contains(victim) else { return false }
                return try await sluice.replicas() == 2
            }
        }
    }

    @Test func `that end at once are started again, later and later`() async throws {
        try await onStage { stage in
            let sluice = try await stage.sluice(
                """
                pools: { model: {
                  processes: { command: ["false"], min: 1, max: 1,
                    restart: { backoff: "20ms", backoffMax: "400ms" } },
                  queue: { patience: "200ms" } } },
                routes: [{ path: "/", pool: "model" }],
                """
            )
            try await eventually("five starts") {
                sluice.log.components(separatedBy: "started as process").count > 5
            }
            let reply = try await ask(sluice.address)
            #expect(reply.status == 503)
            #expect(reply["x-sluice-reason"] == "no_replicas")
            #expect(sluice.child.status == nil)
        }
    }

    @Test func `that never get healthy cost 503 after the patience`() async throws {
        try await onStage { stage in
            // The patience is the pool's: it runs from when there was last a replica, or a start.
            let started = ContinuousClock.now
            let sluice = try await stage.sluice(
                """
                pools: { model: {
                  processes: { command: ["sleep", "1000"], min: 1, max: 1 },
                  health: { path: "/health" }, queue: { patience: "400ms" } } },
                routes: [{ path: "/", pool: "model" }],
                """
            )
            let reply = try await ask(sluice.address)
            #expect(reply.status == 503)
            #expect(reply["x-sluice-reason"] == "no_replicas")
            #expect(ContinuousClock.now - started >= .milliseconds(400))
        }
    }

    @Test func `that flood their output harm nobody, and nothing of them stays`() async throws {
        try await onStage { stage in
            let word = "flood-\(UUID().uuidString)"
            let script = "yes \(word) & exec \(Places.stubReplica) --port $PORT"
            let sluice = try await stage.sluice(
                """
                pools: { model: {
                  processes: { command: ["sh", "-c", "\(script)"], min: 1, max: 1,
                    log: { bytesPerSecond: "64KiB", burstBytes: "128KiB" } },
                  health: { path: "/health" } } },
                routes: [{ path: "/", pool: "model" }],
                """
            )
            #expect(try await ask(sluice.address).status == 200)
            try await eventually("the flood") { sluice.child.outputText.contains(word) }
            for _ in 0..<20 { #expect(try await ask(sluice.address).status == 200) }
            #expect(sluice.child.outputText.utf8.count < 4_000_000)
            sluice.child.send(SIGTERM)
            #expect(try await sluice.child.exitCode(within: .seconds(15)) == 0)
            try await eventually("the end of the flood") {
                processes(withArgument: word).isEmpty
            }
        }
    }

    @Test func `are more under load, and fewer after it`() async throws {
        try await onStage { stage in
            let sluice = try await stage.sluice(
                Stage.processes(
                    ["--latency", "20ms", "--concurrency", "1"],
                    "min: 1, max: 4",
                    pool: """
                        queue: { limit: 1000 },
                        scaling: { interval: "100ms", stabilization: "500ms" }
                        """
                )
            )
            try await sluice.waitsForReady(1)
            // 3.6 of them at work on average: four are wanted, however slowly they start.
            let load = try stage.load(sluice.address, "--phases", "180:20s")
            try await sluice.waitsForReady(4, within: .seconds(20))
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
            try await sluice.waitsForReady(1)
            try await eventually("one process") { processes(ofStubsOf: sluice).count == 1 }
        }
    }

    @Test(arguments: [SIGTERM, SIGKILL]) func `end with their gateway`(
        _ signal: Int32
    ) async throws {
        try await onStage { stage in
            // A name of their own, to find them by.
            let mark = "lognormal:1us,0.\(UInt32.random(in: 1..<1_000_000_000))"
            let sluice = try await stage.sluice(
                Stage.processes(["--latency", mark], "min: 3, max: 3")
            )
            try await sluice.waitsForReady(3)
            #expect(processes(withArgument: mark).count >= 3)
            sluice.child.send(signal)
            let code = try await sluice.child.exitCode(within: .seconds(15))
            #expect(code == (signal == SIGTERM ? 0 : 128 + SIGKILL))
            try await eventually("the end of all of them") {
                processes(withArgument: mark).isEmpty
            }
        }
    }
}

/// The stand-ins that a gateway has started.
func processes(ofStubsOf sluice: Sluice) -> [pid_t] {
    processes(withArgument: Places.stubReplica).filter {
        ancestors(of: $0).contains(sluice.child.pid)
    }
}
