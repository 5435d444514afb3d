import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// An upgraded connection (RFC 9110 §7.8).
@Suite struct `Tunnel` {
    private static let upgrade = head(
        "GET /chat HTTP/1.1",
        "Host: a",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Key: x"
    )
    private static let switching = head(
        "HTTP/1.1 101 Switching Protocols",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Accept: y"
    )

    /// A tunnel that stands, with its client.
    private func tunnel(
        _ settings: Stage.Settings = Stage.Settings(),
        first bytes: String = "",
        then steps: [Step] = []
    ) throws -> (Stage, ScriptedClient) {
        let stage = try Stage(settings)
        stage.replica.answer = { _, _ in [.send(Self.switching + bytes)] + steps }
        let client = stage.client()
        client.send(Self.upgrade)
        stage.run(within: .seconds(1)) { client.partial?.status == 101 }
        stage.pass(.milliseconds(5))
        #expect(client.partial?.status == 101)
        return (stage, client)
    }

    /// What the client got after the head of the 101.
    private func received(_ client: ScriptedClient) -> String {
        let text = client.text
        guard let end = text.firstRange(of: "\r\n\r\n") else { return "" }
        return String(text[end.upperBound...])
    }

    @Test func `the 101 names the protocol and nothing of one connection`() throws {
        let (stage, client) = try tunnel()
        let answer = try #require(client.partial)
        #expect(answer.head.values("Upgrade") == ["websocket"])
        #expect(answer.head.values("Connection") == ["Upgrade"])
        #expect(answer.head.values("Sec-WebSocket-Accept") == ["y"])
        #expect(answer.head.values("Content-Length") == [])
        #expect(answer.head.values("Transfer-Encoding") == [])
        let request = try #require(stage.replica.requests.first)
        #expect(request.head.values("Sec-WebSocket-Key") == ["x"])
    }

    @Test func `bytes go both ways as they come`() throws {
        let (stage, client) = try tunnel()
        client.send(Array("ping".utf8))
        stage.pass(.milliseconds(10))
        #expect(stage.replica.tunnelled == "ping".bytes)
        stage.replica.act([.sendBytes("pong".bytes)])
        stage.pass(.milliseconds(10))
        #expect(received(client) == "pong")
    }

    @Test func `bytes that come with the 101 are kept`() throws {
        let (_, client) = try tunnel(first: "hello")
        #expect(received(client) == "hello")
    }

    @Test func `bytes that the client sends too early wait for the 101`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in [.wait(.seconds(1)), .send(Self.switching)] }
        let client = stage.client()
        client.send(Self.upgrade.wire.bytes + "early".bytes)
        client.expectAnswer(to: "GET")
        stage.pass(.milliseconds(500))
        #expect(stage.replica.tunnelled.isEmpty)
        stage.pass(.seconds(1))
        #expect(stage.replica.tunnelled == "early".bytes)
    }

    @Test func `much goes through in bounded memory, while the other side is slow`() throws {
        let (stage, client) = try tunnel()
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
        stage.replica.act([.pause])
        client.send(bytes)
        stage.pass(.seconds(1))
        #expect(client.undeliveredBytes > 100_000)
        #expect(try stage.onLoop { $0.buffers.inUse } <= 2)
        stage.replica.act([.resume])
        stage.run(within: .seconds(20)) { stage.replica.tunnelled.count >= bytes.count }
        let isSame = stage.replica.tunnelled == bytes
        #expect(isSame)
    }

    @Test func `each direction ends by itself`() throws {
        let (stage, client) = try tunnel()
        client.send(Array("last".utf8))
        client.finish()
        stage.run(within: .seconds(1)) { stage.replica.ends == 1 }
        #expect(stage.replica.tunnelled == "last".bytes)
        #expect(!client.hasEnded)
        stage.replica.act([.sendBytes("still".bytes), .finish])
        stage.run(within: .seconds(1)) { client.hasEnded }
        #expect(received(client) == "still")
        #expect(!client.wasReset)
    }

    @Test func `a tunnel holds its slot until it ends`() throws {
        let (stage, client) = try tunnel()
        #expect(stage.pool.snapshot().inFlight == 1)
        client.close()
        stage.replica.act([.finish])
        stage.run(within: .seconds(2)) { stage.pool.snapshot().inFlight == 0 }
        #expect(stage.pool.snapshot().inFlight == 0)
        #expect(try stage.onLoop { $0.buffers.inUse } == 0)
    }

    @Test func `a tunnel ends when either side breaks`() throws {
        let (stage, client) = try tunnel()
        client.reset()
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 0 }
        #expect(stage.pool.snapshot().inFlight == 0)
        let (other, second) = try tunnel(then: [.wait(.milliseconds(50)), .reset])
        other.run(within: .seconds(1)) { second.hasEnded }
        #expect(second.hasEnded)
    }

    @Test func `a silent tunnel ends after its time`() throws {
        let (stage, client) = try tunnel(
            Stage.Settings(top: #"timeouts: { tunnelIdle: "5s" },"#)
        )
        stage.pass(.seconds(4))
        client.send(Array("x".utf8))
        stage.pass(.seconds(4))
        #expect(!client.hasEnded)
        stage.pass(.seconds(2))
        #expect(client.hasEnded)
    }

    @Test func `the end of the gateway ends a tunnel, but not before the grace is over`() throws {
        let (stage, client) = try tunnel(
            Stage.Settings(top: #"shutdown: { drainDelay: "1s", grace: "3s" },"#)
        )
        stage.gateway.stop {}
        stage.pass(.seconds(3))
        #expect(!client.hasEnded)
        stage.pass(.seconds(3))
        #expect(client.hasEnded)
    }

    // MARK: no tunnel

    @Test func `a replica may refuse the upgrade`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in [.send(ScriptedReplica.ok("no"))] }
        let answer = try stage.ask(Self.upgrade)
        #expect(answer.status == 200 && answer.text == "no")
    }

    @Test(arguments: [
        (head("GET / HTTP/1.1", "Host: a"), "websocket"),
        (upgrade, "other"), (upgrade, "h2c"),
    ])
    func `a 101 that nobody asked for is the replica's fault`(
        request: String,
        named: String
    ) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 101 X", "Connection: Upgrade", "Upgrade: \(named)") + "raw")]
        }
        let answer = try stage.ask(request)
        #expect(answer.status == 502)
        #expect(answer.reason == "upstream_invalid")
    }

    @Test func `a request with a body is not upgraded`() throws {
        let stage = try Stage()
        try stage.ask(
            head(
                "POST / HTTP/1.1",
                "Host: a",
                "Connection: Upgrade",
                "Upgrade: websocket",
                "Content-Length: 2"
            ) + "ok"
        )
        #expect(stage.replica.requests.first?.head.values("Upgrade") == [])
    }

    @Test func `a connection that was a tunnel is used for nothing else`() throws {
        let (stage, client) = try tunnel()
        client.finish()
        stage.replica.act([.finish])
        stage.run(within: .seconds(1)) { client.hasEnded }
        stage.replica.answer = { _, _ in [.send(ScriptedReplica.ok("ok"))] }
        try stage.ask(head("GET / HTTP/1.1", "Host: a"))
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }
}
