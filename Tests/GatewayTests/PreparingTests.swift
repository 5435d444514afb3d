import Balancing
import HTTPWire
import Simulation
import Testing
import Transport

@testable import Gateway

/// From a parsed head to a request that is ready to be sent, or the reason to refuse it.
@Suite struct `Preparing` {
    @Test(arguments: [
        ("CONNECT a:443 HTTP/1.1\nHost: a:443\n\n", 501),
        ("TRACE / HTTP/1.1\nHost: a\nMax-Forwards: 0\n\n", 501),
        ("OPTIONS / HTTP/1.1\nHost: a\nMax-Forwards: 0\n\n", 501),
        ("POST / HTTP/1.1\nHost: a\nExpect: a-miracle\nContent-Length: 0\n\n", 417),
        ("GET /none HTTP/1.1\nHost: nowhere\n\n", 404),
    ])
    func `what is not served is refused on arrival`(request: String, status: Int) throws {
        let stage = try Stage(Stage.Settings(route: #"host: "a","#))
        let answer = try stage.ask(request)
        #expect(answer.status == status)
        #expect(stage.replica.requests.isEmpty)
    }

    /// RFC 9110 §10.1.1: nobody of 1.0 waits for it.
    @Test func `an expectation of a 1,0 client is ignored`() throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(
            head("POST / HTTP/1.0", "Host: a", "Expect: 100-continue", "Content-Length: 2")
        )
        stage.pass(.milliseconds(100))
        #expect(client.interim.isEmpty)
        client.send("ok".bytes)
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
        #expect(client.interim.isEmpty)
    }

    @Test(arguments: [
        ("X-Request-Timeout: 2", 2.0), ("X-Request-Timeout: 1500ms", 1.5),
        ("grpc-timeout: 2500m", 2.5), ("grpc-timeout: 1S", 1),
        ("grpc-timeout: 1S\nX-Request-Timeout: 3", 3), ("X-Request-Timeout: soon", 5),
        ("X-Request-Timeout: 100", 5), ("grpc-timeout: 9H", 5),
    ])
    func `the deadline is the earlier of the route's and the client's`(
        fields: String,
        seconds: Double
    ) throws {
        let stage = try Stage(Stage.Settings(route: #"timeout: "5s","#))
        stage.replica.answer = { _, _ in [] }
        let start = stage.world.elapsed
        let answer = try stage.ask("GET / HTTP/1.1\nHost: a\n\(fields)\n\n")
        let waited = stage.world.elapsed - start
        #expect(answer.status == 504)
        #expect(waited >= .seconds(seconds) && waited < .seconds(seconds + 0.5), "\(waited)")
    }

    /// The order in which three requests that wait are served.
    private func order(_ settings: Stage.Settings) throws -> [String] {
        let stage = try Stage(settings)
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(50)), .send(ScriptedReplica.ok("ok"))]
        }
        var clients: [ScriptedClient] = []
        for (target, priority) in [
            ("/0", "0"), ("/1", "0"), ("/2", "5"), ("/3", "-1"), ("/4", "9"),
        ] {
            let client = stage.client()
            client.send(
                head("GET \(target) HTTP/1.1", "Host: a", "X-Sluice-Priority: \(priority)")
            )
            stage.pass(.milliseconds(2))
            clients.append(client)
        }
        stage.run(within: .seconds(2)) { clients.allSatisfy { !$0.answers.isEmpty } }
        return stage.replica.requests.map(\.head.target)
    }

    @Test func `a trusted caller may ask for a rank in the queue`() throws {
        let settings = Stage.Settings(top: #"trustedProxies: ["10.9.0.1"],"#, concurrency: 1)
        #expect(try order(settings) == ["/0", "/4", "/2", "/1", "/3"])
    }

    @Test func `a stranger may not`() throws {
        #expect(try order(Stage.Settings(concurrency: 1)) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test func `a route's rank is not the caller's to say`() throws {
        let settings = Stage.Settings(
            top: #"trustedProxies: ["10.9.0.1"],"#,
            route: "priority: 1,",
            concurrency: 1
        )
        #expect(try order(settings) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test func `the same key goes to the same replica`() throws {
        let settings = Stage.Settings(
            pool: #"policy: { name: "consistent-hash", key: { header: "X-User" } },"#,
            replicas: 4
        )
        let stage = try Stage(settings)
        var places: [String: Set<String>] = [:]
        for _ in 0..<5 {
            for user in ["anna", "bert", "carl", "dora", "emil", "fritz"] {
                let answer = try stage.ask(head("GET / HTTP/1.1", "Host: a", "X-User: \(user)"))
                places[user, default: []].insert(answer.head.value("X-Sluice-Replica") ?? "")
            }
        }
        #expect(places.values.allSatisfy { $0.count == 1 })
        #expect(Set(places.values.flatMap { $0 }).count > 1)
    }

    /// Host goes on twice, as `Host` and as `X-Forwarded-Host`.
    @Test(arguments: [(2_000, 200), (8_000, 431), (60_000, 431)])
    func `a head that grows beyond its room is refused`(count: Int, status: Int) throws {
        let stage = try Stage()
        let host = String(repeating: "a", count: count)
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: \(host)")).status == status)
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).status == 200)
    }

    @Test func `a head is written whole or not at all`() {
        var scratch = HeadScratch(capacity: 4)
        #expect(scratch.write { $0.write("abcd") } == 4)
        #expect(scratch.write { $0.write("abcde") } == nil)
        #expect(scratch.write { $0.write("ab") } == 2)
        #expect(written { $0.write(scratch.bytes(2)) } == "ab")
    }
}
