import Balancing
import HTTPWire
import Simulation
import Testing
import Transport

@testable import Gateway

/// An attempt is given up when its replica is silent for too long (decision 11).
@Suite struct `A silent replica` {
    private static let get = head("GET / HTTP/1.1", "Host: a")
    private static let post = head("POST / HTTP/1.1", "Host: a", "Content-Length: 2") + "hi"

    /// Two replicas, of which the first says nothing, not even to probes, after these settings.
    private func stage(
        _ timeout: String = "100ms",
        pool: String = "",
        route: String = "",
        replicas: Int = 2,
        concurrency: Int = 8
    ) throws -> Stage {
        let health = pool.contains("health:") ? "" : #"health: { interval: "1h" },"#
        return try Stage(
            Stage.Settings(
                pool: "\(health) \(pool) retries: { attemptTimeout: \"\(timeout)\" },",
                route: route,
                replicas: replicas,
                concurrency: concurrency
            )
        )
    }

    private func silence(_ replica: ScriptedReplica) {
        replica.answer = { _, _ in [] }
    }

    /// Asks until the first replica has got a request; how long that answer took.
    private func askTheFirst(_ stage: Stage, _ request: String = get) throws -> (
        answer: ClientAnswer, took: Duration
    ) {
        for _ in 0..<4 {
            let before = stage.replica.requests.count
            let began = stage.world.now
            let answer = try stage.ask(request)
            if stage.replica.requests.count > before { return (answer, stage.world.now - began) }
        }
        throw NotReached()
    }

    private struct NotReached: Error {}

    @Test func `is left for another after its time, and the client gets its answer`() throws {
        let stage = try stage()
        silence(stage.replica)
        let (answer, took) = try askTheFirst(stage)
        #expect(answer.status == 200)
        #expect(answer.head.value("X-Sluice-Attempts") == "2")
        #expect(took >= .milliseconds(100) && took < .milliseconds(150))
        #expect(stage.replica.openConnections == 0)
        let page = try stage.metrics()
        #expect(page.contains(#"sluice_retries_total{pool="m",cause="silent"} 1"#))
    }

    @Test func `is passed over until it is heard of again`() throws {
        let stage = try stage(pool: #"health: { path: "/health", interval: "1h" },"#)
        var isStopped = false
        stage.replica.answer = { _, _ in isStopped ? [] : [.send(ScriptedReplica.ok("ok"))] }
        isStopped = true
        _ = try askTheFirst(stage)
        let asked = { stage.replica.requests.count { !$0.rawHead.contains("sluice-probe") } }
        let before = asked()
        for _ in 0..<6 { #expect(try stage.ask(Self.get).status == 200) }
        #expect(asked() == before)
        #expect(stage.log.contains { $0.contains("ready → degraded (silent)") })
        isStopped = false
        stage.pass(.seconds(4))
        for _ in 0..<6 { #expect(try stage.ask(Self.get).status == 200) }
        #expect(asked() > before)
    }

    @Test func `keeps a request that must not be sent twice`() throws {
        let stage = try stage(route: #"timeout: "2s","#)
        silence(stage.replica)
        let (answer, took) = try askTheFirst(stage, Self.post)
        #expect(answer.status == 504)
        #expect(answer.head.value("X-Sluice-Attempts") == "1")
        #expect(took >= .seconds(2))
    }

    @Test func `is left with a POST when the route says that it may be repeated`() throws {
        let stage = try stage(route: "idempotent: true,")
        silence(stage.replica)
        let (answer, _) = try askTheFirst(stage, Self.post)
        #expect(answer.status == 200)
        #expect(stage.replicas[1].requests.last?.text == "hi")
    }

    @Test(arguments: ["off", "5s"])
    func `is not left before the time that the operator set`(timeout: String) throws {
        let stage = try stage(timeout, route: #"timeout: "3s","#)
        silence(stage.replica)
        #expect(try askTheFirst(stage).answer.status == 504)
    }

    @Test func `is left once only by the same request`() throws {
        let stage = try stage(replicas: 3)
        for replica in stage.replicas {
            replica.answer = { _, _ in [.wait(.seconds(1)), .send(ScriptedReplica.ok("late"))] }
        }
        let answer = try stage.ask(Self.get)
        #expect(answer.status == 200)
        #expect(answer.head.value("X-Sluice-Attempts") == "2")
        #expect(stage.replicas.reduce(0) { $0 + $1.requests.count } == 2)
    }

    @Test func `is not left on the last attempt`() throws {
        let stage = try stage(route: #"attempts: 1, timeout: "1s","#)
        silence(stage.replica)
        #expect(try askTheFirst(stage).answer.status == 504)
    }

    @Test func `is left as soon as another has room, and not before`() throws {
        let stage = try stage(concurrency: 1)
        silence(stage.replica)
        stage.replicas[1].answer = { _, _ in
            [.wait(.seconds(1)), .send(ScriptedReplica.ok("ok"))]
        }
        let clients = (0..<2).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.pass(.milliseconds(900))
        #expect(clients.allSatisfy { $0.answers.isEmpty })
        #expect(stage.replicas.map(\.requests.count) == [1, 1])
        stage.pass(.milliseconds(400))
        #expect(stage.replicas.map(\.requests.count) == [1, 2])
        #expect(stage.run { clients.allSatisfy { $0.answers.first?.status == 200 } })
    }

    @Test func `is not silent as long as it answers somebody else`() throws {
        let stage = try stage(pool: #"policy: "round-robin","#)
        for replica in stage.replicas {
            replica.answer = { request, _ in
                request.rawHead.contains("/slow")
                    ? [.wait(.seconds(1)), .send(ScriptedReplica.ok("slow"))]
                    : [.send(ScriptedReplica.ok("ok"))]
            }
        }
        let slow = stage.client()
        slow.send(head("GET /slow HTTP/1.1", "Host: a"))
        // Each replica gets every second one, so that none is silent for a tenth of a second.
        for _ in 0..<60 where slow.answers.isEmpty {
            stage.pass(.milliseconds(30))
            try stage.ask(Self.get)
        }
        #expect(slow.answers.first?.head.value("X-Sluice-Attempts") == "1")
    }

    @Test func `is left although its kernel takes no more bytes`() throws {
        let stage = try stage(route: "idempotent: true,")
        stage.replica.answerToHead = { _, _ in [.pause] }
        let body = String(repeating: "x", count: 900_000)
        let request =
            head("POST / HTTP/1.1", "Host: a", "Content-Length: \(body.utf8.count)") + body
        let (answer, _) = try askTheFirst(stage, request)
        #expect(answer.status == 200)
        #expect(stage.replicas[1].requests.last?.body.count == body.utf8.count)
    }

    @Test func `is known by what the pool's answers took`() throws {
        let stage = try stage("auto")
        for replica in stage.replicas {
            replica.answer = { _, _ in
                [.wait(.milliseconds(200)), .send(ScriptedReplica.ok("ok"))]
            }
        }
        for _ in 0..<110 { try stage.ask(Self.get) }
        silence(stage.replica)
        let (answer, took) = try askTheFirst(stage)
        #expect(answer.status == 200)
        // Three times 200 ms, to the class, and then the other's answer.
        #expect(took >= .milliseconds(800) && took < .milliseconds(1_000))
    }

    @Test func `leaves nothing behind in the watch`() throws {
        let stage = try stage()
        silence(stage.replica)
        let clients = (0..<6).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.pass(.milliseconds(20))
        #expect(try stage.onLoop { Lane.of($0).watch.count } > 0)
        clients[0].close()
        stage.pass(.seconds(1))
        #expect(try stage.onLoop { Lane.of($0).watch.count } == 0)
        #expect(stage.pool.snapshot().inFlight == 0)
    }
}
