import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// Active health checks.
@Suite struct `Probing` {
    private func settings(_ health: String, replicas: Int = 1) -> Stage.Settings {
        Stage.Settings(
            pool: """
                health: { interval: "1s", timeout: "400ms", changingInterval: "200ms",
                          \(health) },
                """,
            replicas: replicas
        )
    }

    /// The state of a replica that answers its probes so, after some seconds.
    private func state(_ health: String, answering steps: [Step]) throws -> ReplicaState? {
        let stage = try Stage(settings(health))
        stage.replica.answer = { _, _ in steps }
        stage.pass(.seconds(5))
        return stage.pool.snapshot().replicas.first?.state
    }

    @Test(arguments: [
        (#"path: "/h","#, 200, ReplicaState.ready), (#"path: "/h","#, 204, .ready),
        (#"path: "/h","#, 503, .down), (#"path: "/h","#, 302, .down),
        (#"path: "/h", expect: [302, "5xx"],"#, 302, .ready),
        (#"path: "/h", expect: [302, "5xx"],"#, 599, .ready),
        (#"path: "/h", expect: [302, "5xx"],"#, 200, .down),
    ])
    func `a replica is up when its answer is expected`(
        health: String,
        status: Int,
        expected: ReplicaState
    ) throws {
        let answer = ScriptedReplica.ok("x", status: "\(status) X")
        #expect(try state(health, answering: [.send(answer)]) == expected)
    }

    @Test(
        arguments: [
            [], [.reset], [.finish], [.send("nonsense\n\n")], [.send("HTTP/1.1 20")],
            [.wait(.milliseconds(600)), .send(ScriptedReplica.ok("late"))],
            [.send("HTTP/1.1 200 OK\n" + String(repeating: "A: b\n", count: 5_000))],
        ] as [[Step]]
    )
    func `what is no answer in time takes a replica down`(steps: [Step]) throws {
        #expect(try state(#"path: "/h","#, answering: steps) == .down)
    }

    @Test func `interim answers are not the answer`() throws {
        let interim = "HTTP/1.1 103 X\nLink: </a>\n\n"
        let healthy: [Step] = [.send(interim), .send(ScriptedReplica.ok("ok"))]
        #expect(try state(#"path: "/h","#, answering: healthy) == .ready)
        let ill: [Step] = [.send(interim), .send(ScriptedReplica.ok("x", status: "500 X"))]
        #expect(try state(#"path: "/h","#, answering: ill) == .down)
    }

    @Test func `an answer that drips in is read to the end of its head`() throws {
        let text = ScriptedReplica.ok("ok").wire.bytes
        let steps = text.flatMap { [Step.sendBytes([$0]), .wait(.milliseconds(2))] }
        #expect(try state(#"path: "/h","#, answering: steps) == .ready)
    }

    @Test func `a probe is a small request of its own`() throws {
        let stage = try Stage(settings(#"path: "/h?x=1","#))
        let probe = try #require(stage.replica.requests.first)
        #expect(
            probe.rawHead == """
                GET /h?x=1 HTTP/1.1
                Host: 10.1.0.1:5000
                User-Agent: sluice-probe
                Connection: close
                """
        )
        stage.pass(.seconds(10))
        #expect(stage.replica.requests.count == stage.replica.connections)
    }

    @Test func `without a path a connection is enough`() throws {
        let stage = try Stage(settings(#"path: "none","#))
        stage.pass(.seconds(5))
        #expect(stage.replica.requests.isEmpty)
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.ready])
        stage.replica.refuse()
        stage.pass(.seconds(5))
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.down])
        stage.replica.listen()
        stage.pass(.seconds(2))
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.ready])
    }

    @Test func `a connection that does not come about is no answer`() throws {
        let stage = try Stage(settings(#"path: "none","#))
        stage.world.swallow(stage.replica.address)
        stage.pass(.seconds(6))
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.down])
    }

    @Test func `a replica is asked once an interval`() throws {
        let stage = try Stage(settings(#"path: "/h","#))
        stage.pass(.seconds(2))
        let before = stage.replica.requests.count
        stage.pass(.seconds(20))
        let count = stage.replica.requests.count - before
        #expect((18...23).contains(count), "\(count)")
    }

    @Test func `it is asked more often while its state changes, and comes back`() throws {
        let stage = try Stage(settings(#"path: "/h", rise: 2, fall: 3,"#))
        var isHealthy = false
        stage.replica.answer = { _, _ in
            [.send(ScriptedReplica.ok("x", status: isHealthy ? "200 OK" : "500 X"))]
        }
        stage.run(within: .seconds(10)) { stage.pool.snapshot().replicas.first?.state == .down }
        let before = stage.replica.requests.count
        stage.pass(.seconds(2))
        #expect(stage.replica.requests.count - before >= 8)
        isHealthy = true
        #expect(
            stage.run(within: .milliseconds(700)) {
                stage.pool.snapshot().replicas.first?.limitNow ?? 0 > 0
            }
        )
    }

    @Test func `a replica that is gone is asked no more`() throws {
        let stage = try Stage(settings(#"path: "/h","#, replicas: 2))
        stage.gateway.apply(try Stage.configuration(settings(#"path: "/h","#)))
        stage.pass(.seconds(1))
        let before = stage.replicas[1].requests.count
        stage.pass(.seconds(10))
        #expect(stage.replicas[1].requests.count == before)
        #expect(stage.replicas[0].requests.count > 5)
    }

    @Test func `other settings are in force from the next probe on`() throws {
        let stage = try Stage(settings(#"path: "/h","#))
        stage.gateway.apply(try Stage.configuration(settings(#"path: "/other","#)))
        stage.pass(.seconds(3))
        #expect(stage.replica.requests.last?.head.target == "/other")
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.ready])
    }

    @Test func `each outcome is counted`() throws {
        let stage = try Stage(settings(#"path: "/h","#))
        let endings: [[Step]] = [
            [.send(ScriptedReplica.ok("ok"))], [.send(ScriptedReplica.ok("x", status: "500 X"))],
            [],
        ]
        stage.replica.answer = { _, number in endings[number % 3] }
        stage.pass(.seconds(20))
        stage.replica.refuse()
        stage.pass(.seconds(20))
        let page = try stage.metrics()
        for result in ["passed", "failed", "timed_out", "refused"] {
            let series = "sluice_probes_total{pool=\"m\",result=\"\(result)\"} "
            #expect(page.contains(series) && !page.contains(series + "0\n"), "\(result)")
        }
    }
}
