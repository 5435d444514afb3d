// A steady load of 300 requests/s on four replicas, and what happens to it meanwhile.

import Foundation
import Glibc
import Testing

@Suite(.serialized) struct `Under a steady load` {
    private let phases = "300:4s"

    private func fourStubs(_ stage: Stage) async throws -> [StubReplica] {
        var stubs: [StubReplica] = []
        for _ in 0..<4 { stubs.append(try await stage.stub("--latency", "5ms")) }
        return stubs
    }

    /// Enough room to wait in, should the machine be busy with other tests.
    private let steady = "concurrency: 4, queue: { limit: 5000 }"
    private let idempotent = "idempotent: true"

    @Test func `a killed process costs no client an error, and is back in five seconds`()
        async throws
    {
        try await onStage { stage in
            let sluice = try await stage.sluice(
                Stage.processes(["--latency", "5ms"], "min: 4, max: 4", pool: steady)
            )
            try await sluice.waitsForReady(4)
            let load = try stage.load(sluice.address, "--phases", phases)
            let victim = try #require(processes(ofStubsOf: sluice).first)
            try await eventually("some of the load") {
                try await sluice.metric("sluice_requests_total") > 100
            }
            kill(victim, SIGKILL)
            let killed = ContinuousClock.now
            try await eventually("its process back in the pool", within: .seconds(5)) {
                let now = processes(ofStubsOf: sluice)
                guard now.count == 4, !now.contains(victim) else { return false }
                return try await sluice.replicas() == 4
            }
            #expect(ContinuousClock.now - killed < .seconds(5))
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
            #expect(result.resent == 0)
        }
    }

    @Test func `a stopped replica costs no client an error, and works again when it goes on`()
        async throws
    {
        try await onStage { stage in
            let stubs = try await fourStubs(stage)
            // Its kernel goes on taking connections and bytes: only the timeout would end a wait.
            let sluice = try await stage.sluice(
                before: stubs,
                pool: """
                    concurrency: 2, timeout: "15s", queue: { limit: 5000 },
                    health: { path: "/health", interval: "200ms", timeout: "500ms" }
                    """,
                route: idempotent
            )
            try await sluice.waitsForReady(4)
            let load = try stage.load(sluice.address, "--phases", phases)
            try await eventually("enough of the load to know what is usual") {
                try await sluice.metric("sluice_requests_total") > 200
            }
            stubs[0].child.send(SIGSTOP)
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
            let silent = try await sluice.metric("sluice_retries_total", #"cause="silent""#)
            #expect(silent > 0)
            stubs[0].child.send(SIGCONT)
            try await sluice.waitsForReady(4, within: .seconds(20))
            let served = try await stubs[0].stats().served
            try await eventually("a request that reaches it") {
                _ = try await ask(sluice.address, "POST", "/predict", body: "{}")
                return try await stubs[0].stats().served > served
            }
        }
    }

    @Test func `a reload costs nothing`() async throws {
        try await onStage { stage in
            let stubs = try await fourStubs(stage)
            let sluice = try await stage.sluice(before: stubs, pool: steady, route: idempotent)
            try await sluice.waitsForReady(4)
            let load = try stage.load(sluice.address, "--phases", phases)
            for count in [2, 4, 3, 4] {
                try sluice.rewrite(
                    Stage.parts(
                        before: Array(stubs.prefix(count)),
                        pool: steady,
                        route: idempotent
                    )
                )
                sluice.child.send(SIGHUP)
                try await sluice.waitsForReady(count)
            }
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
            #expect(result.resent == 0)
        }
    }

    @Test func `a broken file costs nothing and changes nothing`() async throws {
        try await onStage { stage in
            let stubs = try await fourStubs(stage)
            let sluice = try await stage.sluice(before: stubs, pool: steady, route: idempotent)
            try await sluice.waitsForReady(4)
            let load = try stage.load(sluice.address, "--phases", "300:1s")
            try sluice.rewrite("pools: { model: { replcas: [] } }, routes: []")
            sluice.child.send(SIGHUP)
            try await sluice.waits(for: "\(sluice.file):")
            #expect(try await sluice.metric("sluice_config_last_reload_successful") == 0)
            #expect(try await sluice.replicas() == 4)
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
        }
    }

    @Test func `a drain costs nothing a client that goes elsewhere when told`() async throws {
        try await onStage { stage in
            let stubs = try await fourStubs(stage)
            let sluice = try await stage.sluice(before: stubs, pool: steady, route: idempotent)
            try await sluice.waitsForReady(4)
            let load = try stage.load(
                sluice.address,
                "--phases",
                "300:20s",
                "--end-when-refused"
            )
            try await eventually("some of the load") {
                try await sluice.metric("sluice_requests_total") > 100
            }
            sluice.child.send(SIGTERM)
            try await eventually("/ready saying no") {
                try await ask(sluice.admin, "GET", "/ready").status == 503
            }
            let result = try await load.result()
            #expect(result.elsewhere > 0)
            #expect(result.answered + result.elsewhere == result.offered, "\(result)")
            #expect(try await sluice.child.exitCode() == 0)
        }
    }

    @Test func `a watched file is taken over by itself`() async throws {
        try await onStage { stage in
            let stubs = try await fourStubs(stage)
            let sluice = try await stage.sluice(
                before: Array(stubs.prefix(2)),
                pool: steady,
                route: idempotent,
                settings: "watch: true,"
            )
            try await sluice.waitsForReady(2)
            let load = try stage.load(sluice.address, "--phases", "300:2s")
            try sluice.rewrite(Stage.parts(before: stubs, pool: steady, route: idempotent))
            try await sluice.waitsForReady(4)
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
        }
    }
}
