import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// No client and no shortage of our own may set a replica aside.
@Suite struct `A replica` {
    @Test func `is not blamed for a deadline that its client chose`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        for replica in stage.replicas {
            replica.answer = { _, _ in [.wait(.milliseconds(50)), .send(ScriptedReplica.ok("ok"))] }
        }
        for _ in 0..<12 {
            let got = try stage.ask(head("GET / HTTP/1.1", "Host: a", "X-Request-Timeout: 0.01"))
            #expect(got.status == 504 || got.status == 429)
            #expect(got.reason == "deadline")
        }
        #expect(stage.pool.snapshot().replicas.allSatisfy { $0.consecutiveFailures == 0 })
    }

    @Test func `is not blamed for a client that never sends its body`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        for _ in 0..<12 {
            let client = stage.client()
            client.send(
                head(
                    "POST / HTTP/1.1",
                    "Host: a",
                    "Content-Length: 9",
                    "X-Request-Timeout: 0.01"
                ) + "a"
            )
            stage.run(within: .seconds(1)) { !client.answers.isEmpty }
            #expect(client.answers.first?.reason == "deadline")
        }
        #expect(stage.pool.snapshot().replicas.allSatisfy { $0.consecutiveFailures == 0 })
    }

    @Test func `is still blamed for missing the deadline of its route`() throws {
        let stage = try Stage(Stage.Settings(route: #"timeout: "1s","#))
        stage.replica.answer = { _, _ in [.wait(.seconds(5))] }
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).reason == "upstream_timeout")
        #expect(stage.pool.snapshot().replicas.first?.consecutiveFailures == 1)
    }

    @Test(arguments: 2...4)
    func `is not down because we have no descriptor left`(_ limit: Int) throws {
        var conditions = Conditions.kind
        conditions.descriptorLimit = limit
        let stage = try Stage(Stage.Settings(replicas: 1), conditions: conditions)
        let clients = (0..<3).map { _ in stage.client() }
        stage.pass(.milliseconds(50))
        clients[0].send(head("GET / HTTP/1.1", "Host: a"))
        stage.run(within: .seconds(2)) { !clients[0].answers.isEmpty }
        #expect(stage.pool.snapshot().replicas.allSatisfy { $0.state != .down })
    }
}
