import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// One client's connection: heads off it, one exchange after the other, and its end.
@Suite struct `Client connection` {
    private static let get = head("GET / HTTP/1.1", "Host: a")

    @Test func `serves one request after the other`() throws {
        let stage = try Stage()
        let client = stage.client()
        for number in 1...5 {
            client.send(Self.get)
            stage.run(within: .seconds(1)) { client.answers.count == number }
            stage.pass(.milliseconds(300))
        }
        #expect(client.answers.count == 5)
        #expect(!client.hasEnded)
    }

    /// RFC 9112 §9.3.2.
    @Test func `answers pipelined requests in their order`() throws {
        let stage = try Stage()
        stage.replica.answer = { request, number in
            [
                .wait(.milliseconds(50 - 10 * number)),
                .send(ScriptedReplica.ok(request.head.target)),
            ]
        }
        let client = stage.client()
        for number in 0..<5 {
            client.send(head("GET /\(number) HTTP/1.1", "Host: a"))
        }
        stage.run(within: .seconds(2)) { client.answers.count == 5 }
        #expect(client.answers.map(\.text) == ["/0", "/1", "/2", "/3", "/4"])
    }

    @Test func `reads a head in whatever pieces it comes`() throws {
        let stage = try Stage()
        let client = stage.client()
        client.expectAnswer(to: "GET")
        for byte in ("\n\n" + Self.get).wire.bytes {
            client.send([byte])
            stage.pass(.milliseconds(1))
        }
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\nHost: a\nConnection: close\n\n", true),
        ("GET / HTTP/1.0\nHost: a\n\n", true),
        ("GET / HTTP/1.0\nHost: a\nConnection: keep-alive\n\n", false),
        ("GET / HTTP/1.1\nHost: a\n\n", false),
    ])
    func `ends when the client asked for that`(request: String, ends: Bool) throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(request)
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        stage.pass(.milliseconds(100))
        #expect(client.answers.map(\.status) == [200])
        #expect(client.hasEnded == ends)
    }

    @Test func `nothing after a request that asked for the end is served`() throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(head("GET /1 HTTP/1.1", "Host: a", "Connection: close"))
        client.send(head("GET /2 HTTP/1.1", "Host: a"))
        stage.run(within: .seconds(3)) { client.hasEnded }
        #expect(stage.replica.requests.map(\.head.target) == ["/1"])
        #expect(client.answers.count == 1)
    }

    // MARK: time

    @Test func `an idle connection is closed after its time, and not told why`() throws {
        let stage = try Stage(Stage.Settings(top: #"timeouts: { keepAlive: "4s" },"#))
        let client = stage.client()
        client.send(Self.get)
        stage.pass(.seconds(3))
        #expect(!client.hasEnded)
        client.send(Self.get)
        stage.pass(.milliseconds(3_900))
        #expect(!client.hasEnded)
        stage.pass(.milliseconds(300))
        #expect(client.hasEnded && !client.wasReset)
        #expect(client.answers.map(\.status) == [200, 200])
        #expect(stage.accessLog().count == 2)
    }

    @Test func `a slow head is refused in time, however its bytes drip`() throws {
        let stage = try Stage(Stage.Settings(top: #"timeouts: { head: "3s" },"#))
        let client = stage.client()
        client.expectAnswer(to: "GET")
        let start = stage.world.elapsed
        for byte in "GET / HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".bytes {
            client.send([byte])
            stage.run(within: .milliseconds(100)) { client.hasEnded }
        }
        let waited = stage.world.elapsed - start
        #expect(client.answers.map(\.status) == [408])
        #expect(client.hasEnded)
        #expect(waited >= .seconds(3))
        #expect(stage.replica.requests.isEmpty)
    }

    // MARK: what cannot be read

    @Test(arguments: [
        ("GET / HTTP/1.1\n\n", 400), ("GET / HTTP/1.1\nHost: a\nHost: a\n\n", 400),
        ("nonsense\n\n", 400), ("GET / HTTP/2.0\nHost: a\n\n", 505),
        ("GET / HTTP/1.1\nHost: a\nA : b\n\n", 400),
        ("POST / HTTP/1.1\nHost: a\nContent-Length: 1\nTransfer-Encoding: chunked\n\n", 400),
        ("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: gzip, chunked\n\n", 501),
    ])
    func `a head that cannot be read with certainty ends the connection`(
        request: String,
        status: Int
    ) throws {
        let stage = try Stage()
        let client = stage.client()
        client.expectAnswer(to: "GET")
        client.send(request.wire.bytes + Self.get.wire.bytes)
        stage.run(within: .seconds(3)) { client.hasEnded }
        #expect(client.answers.map(\.status) == [status])
        #expect(client.answers.first?.head.values("Connection") == ["close"])
        #expect(stage.replica.requests.isEmpty)
    }

    @Test(arguments: [
        ("targetBytes: \"8KiB\"", 9_000, 0, 0, 414), ("headBytes: \"16KiB\"", 1, 20_000, 0, 431),
        ("fields: 16", 1, 1, 20, 431),
    ])
    func `a head that is too large is refused`(
        limit: String,
        target: Int,
        value: Int,
        fields: Int,
        status: Int
    ) throws {
        let stage = try Stage(Stage.Settings(top: "limits: { \(limit) },"))
        let client = stage.client()
        client.expectAnswer(to: "GET")
        let line = "GET /" + String(repeating: "t", count: target) + " HTTP/1.1\nHost: a\n"
        let field = "X: " + String(repeating: "v", count: value) + "\n"
        client.send((line + field + String(repeating: "A: b\n", count: fields) + "\n").wire.bytes)
        stage.run(within: .seconds(3)) { client.hasEnded }
        #expect(client.answers.map(\.status) == [status])
    }

    @Test func `a large head that is allowed goes through`() throws {
        let stage = try Stage()
        let value = String(repeating: "v", count: 50_000)
        let answer = try stage.ask(head("GET / HTTP/1.1", "Host: a", "X-Large: \(value)"))
        #expect(answer.status == 200)
        #expect(stage.replica.requests.first?.head.value("X-Large")?.count == 50_000)
    }

    // MARK: leaving

    @Test func `a client that says nothing is no exchange`() throws {
        let stage = try Stage()
        let client = stage.client()
        stage.pass(.milliseconds(10))
        client.close()
        stage.pass(.milliseconds(100))
        #expect(stage.accessLog() == [])
        #expect(stage.gateway.openConnections == 0)
    }

    @Test func `a client that leaves inside its head is counted as gone`() throws {
        let stage = try Stage()
        let client = stage.client()
        client.send("GET / HT".bytes)
        stage.pass(.milliseconds(10))
        client.close()
        stage.pass(.milliseconds(100))
        #expect(stage.gateway.openConnections == 0)
        #expect(stage.replica.requests.isEmpty)
    }

    @Test(arguments: [false, true])
    func `a client that leaves the queue frees its place at once`(resets: Bool) throws {
        let stage = try Stage(Stage.Settings(concurrency: 1))
        stage.replica.answer = { _, _ in [.wait(.seconds(9)), .send(ScriptedReplica.ok("ok"))] }
        let first = stage.client()
        first.send(Self.get)
        stage.pass(.milliseconds(10))
        let second = stage.client()
        second.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().waiters == 1 }
        if resets { second.reset() } else { second.close() }
        stage.run(within: .milliseconds(10)) { stage.pool.snapshot().waiters == 0 }
        #expect(stage.pool.snapshot().waiters == 0)
        #expect(stage.pool.snapshot().inFlight == 1)
    }

    /// The answer must not be lost to a reset because of bytes that nobody reads (RFC 9112 §9.6).
    @Test func `an answer arrives although the client goes on sending`() throws {
        let stage = try Stage(Stage.Settings(route: #"path: "/here","#))
        let client = stage.client()
        client.send(head("POST /away HTTP/1.1", "Host: a", "Content-Length: 3000000"))
        client.send([UInt8](repeating: 7, count: 400_000))
        stage.run(within: .seconds(5)) { client.hasEnded }
        #expect(client.answers.map(\.status) == [404])
    }

    @Test func `an idle connection holds no memory`() throws {
        let stage = try Stage()
        let clients = (0..<20).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(5)) { clients.allSatisfy { $0.answers.count == 1 } }
        #expect(stage.gateway.openConnections == 20)
        #expect(try stage.onLoop { $0.buffers.inUse } == 0)
    }

    @Test func `requests that wait hold little memory`() throws {
        let stage = try Stage(Stage.Settings(concurrency: 1), bufferLimit: 8)
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(100)), .send(ScriptedReplica.ok("ok"))]
        }
        let clients = (0..<40).map { _ in stage.client() }
        for client in clients {
            client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 5") + "hello")
        }
        stage.run(within: .seconds(30)) { clients.allSatisfy { $0.answers.count == 1 } }
        #expect(clients.allSatisfy { $0.answers.map(\.status) == [200] })
        #expect(stage.replica.requests.allSatisfy { $0.text == "hello" })
    }

    @Test func `without memory a request is refused, and later ones are served`() throws {
        let stage = try Stage(bufferLimit: 6)
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(100)), .send(ScriptedReplica.ok("ok"))]
        }
        let clients = (0..<8).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(5)) { clients.allSatisfy { !$0.answers.isEmpty || $0.hasEnded } }
        let statuses = clients.flatMap { $0.answers.map(\.status) }
        // What was taken in comes to its end; the rest is told.
        #expect(statuses.filter { $0 == 200 }.count == 4)
        #expect(statuses.filter { $0 == 503 }.count == 4)
        stage.pass(.seconds(2))
        #expect(try stage.ask(Self.get).status == 200)
    }
}
