import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// A loop's connections to replicas: opened, kept, closed.
@Suite struct `Upstreams` {
    private static let get = head("GET / HTTP/1.1", "Host: a")

    @Test func `a kept connection is used again until its time is over`() throws {
        let stage = try Stage(Stage.Settings(pool: #"keepAlive: "2s","#))
        try stage.ask(Self.get)
        stage.pass(.milliseconds(1_800))
        try stage.ask(Self.get)
        stage.pass(.milliseconds(2_100))
        try stage.ask(Self.get)
        #expect(stage.replica.requests.map(\.connection) == [0, 0, 1])
    }

    @Test func `a kept connection is closed when its time is over`() throws {
        let stage = try Stage(Stage.Settings(pool: #"keepAlive: "2s","#))
        try stage.ask(Self.get)
        stage.pass(.seconds(1))
        #expect(stage.replica.openConnections == 1)
        stage.pass(.seconds(2))
        #expect(stage.replica.openConnections == 0)
    }

    @Test func `nothing is kept when that is switched off`() throws {
        let stage = try Stage(Stage.Settings(pool: #"keepAlive: "0s","#))
        for _ in 0..<2 { try stage.ask(Self.get) }
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }

    @Test func `a connection that its replica has closed is not used`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(ScriptedReplica.ok("ok")), .wait(.milliseconds(50)), .finish]
        }
        try stage.ask(Self.get)
        stage.pass(.milliseconds(200))
        #expect(try stage.ask(Self.get).status == 200)
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }

    /// RFC 9112 §9.3.1: the close and the next request may cross.
    @Test(arguments: ["GET", "POST"])
    func `a kept connection that breaks under a request is made good for`(method: String) throws {
        let stage = try Stage()
        stage.replica.answer = { _, number in
            number == 1 ? [.reset] : [.send(ScriptedReplica.ok("ok"))]
        }
        try stage.ask(Self.get)
        let answer = try stage.ask(
            head("\(method) / HTTP/1.1", "Host: a", "Content-Length: 2") + "ok"
        )
        #expect(answer.status == 200)
        #expect(stage.replica.requests.map(\.connection) == [0, 0, 1])
        #expect(stage.pool.snapshot().replicas.map(\.consecutiveFailures) == [0])
    }

    @Test func `a kept connection that breaks after long work was no stale one`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, number in
            number == 1
                ? [.wait(.seconds(2)), .reset] : [.send(ScriptedReplica.ok("ok"))]
        }
        try stage.ask(Self.get)
        let answer = try stage.ask(head("POST / HTTP/1.1", "Host: a", "Content-Length: 2") + "ok")
        #expect(answer.status == 502)
        #expect(stage.replica.requests.count == 2)
        #expect(stage.pool.snapshot().replicas.map(\.consecutiveFailures) == [1])
    }

    @Test func `a body that is still coming gets a connection that cannot be stale`() throws {
        let stage = try Stage()
        try stage.ask(Self.get)
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 4") + "ok")
        stage.pass(.milliseconds(20))
        client.send("ok".bytes)
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }

    @Test func `a request under which a kept connection broke is not sent on another kept one`()
        throws
    {
        let stage = try Stage()
        stage.replica.answer = { request, number in
            number > 1 && request.connection < 2
                ? [.reset] : [.wait(.milliseconds(50)), .send(ScriptedReplica.ok("ok"))]
        }
        let clients = (0..<2).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(1)) { clients.allSatisfy { !$0.answers.isEmpty } }
        let answer = try stage.ask(head("POST / HTTP/1.1", "Host: a", "Content-Length: 2") + "ok")
        #expect(answer.status == 200)
        #expect(stage.replica.requests.count == 4)
        #expect(stage.replica.requests.last?.connection == 2)
    }

    @Test func `a body too large to be held gets a connection that cannot be stale`() throws {
        let stage = try Stage()
        try stage.ask(Self.get)
        let client = stage.client()
        client.send(head("PUT / HTTP/1.1", "Host: a", "Content-Length: 2000000"))
        client.send([UInt8](repeating: 7, count: 2_000_000))
        stage.run(within: .seconds(10)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }

    @Test func `a refused connection sends the request to another replica`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        stage.replicas[0].refuse()
        for _ in 0..<4 {
            #expect(
                try stage.ask(head("POST / HTTP/1.1", "Host: a", "Content-Length: 0")).status
                    == 200
            )
        }
        #expect(stage.replicas.map(\.requests.count) == [0, 4])
        let states = stage.pool.snapshot().replicas.map(\.state)
        #expect(states == [.down, .ready])
    }

    @Test func `a connection that does not come about in time is given up`() throws {
        let stage = try Stage(Stage.Settings(pool: #"connectTimeout: "500ms","#, replicas: 2))
        stage.world.swallow(stage.replicas[0].address)
        let start = stage.world.elapsed
        var answers: [ClientAnswer] = []
        for _ in 0..<2 { answers.append(try stage.ask(Self.get)) }
        #expect(answers.map(\.status) == [200, 200])
        let waited = stage.world.elapsed - start
        #expect(waited >= .milliseconds(500) && waited < .milliseconds(1_500), "\(waited)")
    }

    @Test func `without any connection the answer is 502`() throws {
        let stage = try Stage(
            Stage.Settings(pool: #"connectTimeout: "500ms","#, route: "attempts: 1,")
        )
        stage.world.swallow(stage.replica.address)
        let answer = try stage.ask(Self.get)
        #expect(answer.status == 502)
        #expect(answer.reason == "connect_failed")
    }

    @Test func `kept connections to a replica that is gone are closed`() throws {
        let stage = try Stage(Stage.Settings(pool: #"keepAlive: "1m","#, replicas: 2))
        for _ in 0..<4 { try stage.ask(Self.get) }
        #expect(stage.replicas.map(\.openConnections) == [1, 1])
        var settings = Stage.Settings(pool: #"keepAlive: "1m","#)
        settings.replicas = 1
        stage.gateway.apply(try Stage.configuration(settings))
        stage.pass(.milliseconds(100))
        #expect(stage.replicas.map(\.openConnections) == [1, 0])
    }

    @Test func `kept connections are closed when the gateway stops`() throws {
        let stage = try Stage(
            Stage.Settings(
                top: #"shutdown: { drainDelay: "0s", grace: "1s" },"#,
                pool: #"keepAlive: "1m","#
            )
        )
        try stage.ask(Self.get)
        #expect(stage.stop())
        stage.pass(.seconds(1))
        #expect(stage.replica.openConnections == 0)
        #expect(stage.world.openDescriptors == 0)
    }

    @Test func `at most so many idle connections are kept to one replica`() throws {
        let stage = try Stage(
            Stage.Settings(pool: #"keepAlive: "1m","#, concurrency: 300),
            bufferLimit: 2_000
        )
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(500)), .send(ScriptedReplica.ok("ok"))]
        }
        let clients = (0..<300).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(5)) { clients.allSatisfy { !$0.answers.isEmpty } }
        stage.pass(.milliseconds(100))
        #expect(stage.replica.connections == 300)
        #expect(stage.replica.openConnections == 256)
    }
}
