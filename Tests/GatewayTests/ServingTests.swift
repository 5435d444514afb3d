import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// The way of one exchange as a whole: route, wait, forward, answer.
@Suite struct `Serving` {
    private static let get = head("GET / HTTP/1.1", "Host: a")

    @Test func `a replica never has more than its limit, and nobody is lost`() throws {
        let stage = try Stage(Stage.Settings(replicas: 3, concurrency: 2), loops: 3)
        var inFlight = [0, 0, 0]
        var most = 0
        for (number, replica) in stage.replicas.enumerated() {
            replica.answerToHead = { _, _ in
                inFlight[number] += 1
                most = max(most, inFlight[number])
                return nil
            }
            replica.answer = { [world = stage.world] _, _ in
                world.after(.milliseconds(20)) { inFlight[number] -= 1 }
                return [.wait(.milliseconds(20)), .send(ScriptedReplica.ok("ok"))]
            }
        }
        let clients = (0..<60).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(10)) { clients.allSatisfy { !$0.answers.isEmpty } }
        #expect(clients.allSatisfy { $0.answers.map(\.status) == [200] })
        #expect(most == 2)
    }

    @Test func `who waits is served in the order of arrival`() throws {
        let stage = try Stage(Stage.Settings(concurrency: 1))
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(10)), .send(ScriptedReplica.ok("ok"))]
        }
        var clients: [ScriptedClient] = []
        for number in 0..<10 {
            let client = stage.client()
            client.send(head("GET /\(number) HTTP/1.1", "Host: a"))
            stage.pass(.microseconds(600))
            clients.append(client)
        }
        stage.run(within: .seconds(2)) { clients.allSatisfy { !$0.answers.isEmpty } }
        #expect(stage.replica.requests.map(\.head.target) == (0..<10).map { "/\($0)" })
    }

    @Test func `a full queue refuses at once and says when to come back`() throws {
        let stage = try Stage(Stage.Settings(pool: "queue: { limit: 2 },", concurrency: 1))
        stage.replica.answer = { _, _ in [.wait(.seconds(3)), .send(ScriptedReplica.ok("ok"))] }
        let clients = (0..<3).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.pass(.milliseconds(50))
        let start = stage.world.elapsed
        let answer = try stage.ask(Self.get)
        #expect(stage.world.elapsed - start < .milliseconds(50))
        #expect(answer.status == 429 && answer.reason == "queue_full")
        let seconds = try #require(answer.head.number("Retry-After"))
        #expect((1...30).contains(seconds))
    }

    @Test func `who waits too long is refused`() throws {
        let stage = try Stage(
            Stage.Settings(pool: #"queue: { timeout: "2s" },"#, concurrency: 1)
        )
        stage.replica.answer = { _, _ in [.wait(.seconds(9)), .send(ScriptedReplica.ok("ok"))] }
        let first = stage.client()
        first.send(Self.get)
        stage.pass(.milliseconds(50))
        let answer = try stage.ask(Self.get)
        #expect(answer.status == 429 && answer.reason == "queue_timeout")
        stage.run(within: .seconds(20)) { !first.answers.isEmpty }
        #expect(first.answers.map(\.status) == [200])
    }

    @Test func `a deadline that passes in the queue is told as such`() throws {
        let stage = try Stage(Stage.Settings(concurrency: 1))
        stage.replica.answer = { _, _ in [.wait(.seconds(9)), .send(ScriptedReplica.ok("ok"))] }
        let first = stage.client()
        first.send(Self.get)
        stage.pass(.milliseconds(50))
        let answer = try stage.ask(head("GET / HTTP/1.1", "Host: a", "X-Request-Timeout: 1.5"))
        #expect(answer.status == 504 && answer.reason == "deadline")
        #expect(stage.replica.requests.count == 1)
    }

    @Test func `without a usable replica patience comes to an end`() throws {
        let stage = try Stage(Stage.Settings(pool: #"queue: { patience: "2s" },"#))
        stage.replica.refuse()
        let start = stage.world.elapsed
        let answer = try stage.ask(Self.get)
        let waited = stage.world.elapsed - start
        #expect(answer.status == 503 && answer.reason == "no_replicas")
        #expect(waited >= .seconds(2) && waited < .seconds(4), "\(waited)")
    }

    @Test func `a replica that comes back serves who has waited for it`() throws {
        let stage = try Stage()
        stage.replica.refuse()
        let client = stage.client()
        client.send(Self.get)
        stage.pass(.seconds(2))
        #expect(client.answers.isEmpty)
        stage.replica.listen()
        stage.run(within: .seconds(5)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
    }

    @Test func `an exchange that fails everywhere was tried as often as allowed`() throws {
        let stage = try Stage(Stage.Settings(replicas: 4))
        for replica in stage.replicas { replica.answer = { _, _ in [.reset] } }
        let answer = try stage.ask(Self.get)
        #expect(answer.status == 502 && answer.reason == "upstream_reset")
        #expect(stage.replicas.map(\.requests.count).sorted() == [0, 1, 1, 1])
    }

    @Test func `every lease is ended, whatever happens`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        let endings: [[Step]] = [
            [.reset], [.finish], [.send("nonsense\n\n")], [.send(ScriptedReplica.ok("ok"))],
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 9")), .wait(.milliseconds(1)), .reset],
        ]
        for replica in stage.replicas {
            replica.answer = { _, number in endings[number % endings.count] }
        }
        for _ in 0..<20 {
            let client = stage.client()
            client.send(Self.get)
            stage.run(within: .seconds(90)) { !client.answers.isEmpty || client.hasEnded }
            client.close()
        }
        stage.pass(.seconds(1))
        #expect(stage.pool.snapshot().inFlight == 0)
        #expect(try stage.onLoop { $0.buffers.inUse } == 0)
    }
}
