import Balancing
import Configuration
import Simulation
import Telemetry
import Testing
import Transport

@testable import Gateway

/// Start, reload, drain, stop.
@Suite struct `A gateway` {
    private static let get = head("GET / HTTP/1.1", "Host: a")
    private static let slow: [Step] = [.wait(.seconds(3)), .send(ScriptedReplica.ok("slow"))]

    // MARK: start

    @Test func `does not start where another one listens`() throws {
        let stage = try Stage()
        let configuration = try Stage.configuration(Stage.Settings())
        let loop = stage.world.makeLoop()
        let other = Gateway(
            configuration,
            in: Gateway.Surroundings(loops: [loop], log: Log(now: { 0 }, sink: { _ in }))
        )
        let outcome = Outcome()
        other.start { outcome.result = $0 }
        stage.run(within: .seconds(1)) { outcome.result != nil }
        guard case .failure(let error) = outcome.result else {
            Issue.record("it started")
            return
        }
        #expect(error.address == "10.0.0.1:8080")
        #expect(error.why.isEmpty == false)
        #expect(other.snapshot.pools.isEmpty)
    }

    private final class Outcome: @unchecked Sendable {
        var result: Result<Bound, StartError>?
        var stops = 0
    }

    // MARK: reload

    @Test func `takes new routes and keeps its replicas' counts`() throws {
        let stage = try Stage(Stage.Settings(concurrency: 1))
        stage.replica.answer = { _, number in
            number == 0 ? Self.slow : [.send(ScriptedReplica.ok("ok"))]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 1 }
        let before = stage.pool.snapshot().replicas.map(\.id)
        let pool = stage.pool
        stage.gateway.apply(
            try Stage.configuration(
                Stage.Settings(route: #"path: "/new","#, concurrency: 2)
            )
        )
        stage.pass(.milliseconds(50))
        #expect(stage.pool === pool)
        #expect(stage.pool.snapshot().replicas.map(\.id) == before)
        #expect(stage.pool.snapshot().replicas.map(\.concurrencyLimit) == [2])
        #expect(stage.pool.snapshot().inFlight == 1)
        #expect(stage.gateway.generation == 2)
        #expect(try stage.ask(Self.get).status == 404)
        #expect(try stage.ask(head("GET /new HTTP/1.1", "Host: a")).status == 200)
        stage.run(within: .seconds(5)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.text) == ["slow"])
    }

    @Test func `drains a replica that is no longer listed`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2, concurrency: 1))
        for replica in stage.replicas { replica.answer = { _, _ in Self.slow } }
        let clients = (0..<2).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 2 }
        stage.gateway.apply(try Stage.configuration(Stage.Settings(concurrency: 1)))
        stage.pass(.milliseconds(50))
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.ready, .draining])
        stage.run(within: .seconds(5)) { clients.allSatisfy { !$0.answers.isEmpty } }
        #expect(clients.allSatisfy { $0.answers.map(\.status) == [200] })
        stage.pass(.milliseconds(50))
        #expect(stage.pool.snapshot().replicas.map(\.state) == [.ready])
    }

    @Test func `lets what is in flight in a pool that is gone finish`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in Self.slow }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 1 }
        let old = stage.pool
        stage.gateway.apply(
            try Stage.configuration(
                Stage.Settings(
                    pools: #"other: { replicas: ["10.7.7.7:1"] }"#,
                    routes: #"{ pool: "other" }"#
                )
            )
        )
        #expect(stage.gateway.snapshot.pools.map(\.name) == ["other"])
        stage.run(within: .seconds(5)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.text) == ["slow"])
        stage.pass(.seconds(2))
        #expect(old.snapshot().replicas.isEmpty)
        #expect(old.snapshot().outstanding == 0)
    }

    // MARK: drain and stop

    private static func settings(_ delay: String, _ grace: String) -> Stage.Settings {
        Stage.Settings(
            top: #"shutdown: { drainDelay: "\#(delay)", grace: "\#(grace)" },"#,
            concurrency: 1
        )
    }

    @Test func `says that it is leaving before it does`() throws {
        let stage = try Stage(Self.settings("2s", "5s"))
        #expect(stage.gateway.isReady)
        stage.gateway.stop {}
        stage.pass(.seconds(1))
        #expect(!stage.gateway.isReady && !stage.gateway.isDraining)
        let answer = try stage.ask(Self.get)
        #expect(answer.status == 200 && answer.head.values("Connection") == [])
        stage.pass(.milliseconds(1_200))
        #expect(stage.gateway.isDraining)
    }

    @Test func `stops at once when nobody is there`() throws {
        let stage = try Stage(Self.settings("0s", "20s"))
        #expect(stage.stop(within: .seconds(1)))
        #expect(stage.world.openDescriptors == 0)
    }

    @Test func `lets what is in flight finish, and says that the connection ends`() throws {
        let stage = try Stage(Self.settings("0s", "20s"))
        stage.replica.answer = { _, _ in Self.slow }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 1 }
        let started = stage.world.elapsed
        #expect(stage.stop())
        #expect(client.answers.map(\.text) == ["slow"])
        #expect(client.answers.first?.head.values("Connection") == ["close"])
        let took = stage.world.elapsed - started
        #expect(took > .seconds(2) && took < .seconds(6), "\(took)")
    }

    @Test func `serves who waits while the grace lasts, and tells the others`() throws {
        let stage = try Stage(Self.settings("0s", "5s"))
        stage.replica.answer = { _, _ in Self.slow }
        let clients = (0..<3).map { _ in stage.client() }
        for client in clients {
            client.send(Self.get)
            stage.pass(.milliseconds(5))
        }
        #expect(stage.stop())
        #expect(clients[0].answers.map(\.status) == [200])
        // The second began after three seconds and was cut after five; the third still waited.
        #expect(clients[1].answers.map(\.status) == [503])
        #expect(clients[2].answers.map(\.status) == [503])
        #expect(clients[2].answers.first?.reason == "stopping")
        #expect(stage.world.openDescriptors == 0)
    }

    @Test func `cuts everything when it is told twice`() throws {
        let stage = try Stage(Self.settings("5s", "20s"))
        stage.replica.answer = { _, _ in [.wait(.seconds(60))] }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 1 }
        let outcome = Outcome()
        stage.gateway.stop { outcome.stops += 1 }
        stage.pass(.milliseconds(100))
        stage.gateway.stop { outcome.stops += 1 }
        let started = stage.world.elapsed
        stage.run(within: .seconds(30)) { outcome.stops > 0 }
        #expect(stage.world.elapsed - started < .seconds(3))
        #expect(client.answers.map(\.status) == [503])
        stage.pass(.seconds(5))
        #expect(outcome.stops == 1)
    }

    @Test func `ends idle connections without breaking them`() throws {
        let stage = try Stage(Self.settings("0s", "20s"))
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { client.answers.count == 1 }
        stage.gateway.stop {}
        stage.pass(.milliseconds(300))
        // A request that was on its way is still answered.
        client.send(Self.get)
        stage.run(within: .seconds(3)) { client.hasEnded }
        #expect(client.answers.map(\.status) == [200, 200])
        #expect(!client.wasReset)
    }

    @Test func `does not wait for a client that says nothing`() throws {
        let stage = try Stage(Self.settings("0s", "20s"))
        let client = stage.client()
        stage.run(within: .seconds(1)) { stage.gateway.openConnections == 1 }
        let started = stage.world.elapsed
        #expect(stage.stop())
        #expect(stage.world.elapsed - started < .seconds(3))
        stage.pass(.milliseconds(10))
        #expect(client.hasEnded)
    }
}
