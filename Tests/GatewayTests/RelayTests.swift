import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// The answer's way to the client: as it comes, with an honest end.
@Suite struct `Relay` {
    private static func body(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 17 &+ $0 >> 8) }
    }

    private static let get = head("GET / HTTP/1.1", "Host: a")

    /// How a replica frames its answer.
    enum Framing: CaseIterable {
        case length, chunked, untilClose

        func steps(_ body: [UInt8]) -> [Step] {
            switch self {
            case .length:
                [.send(head("HTTP/1.1 200 OK", "Content-Length: \(body.count)")), .sendBytes(body)]
            case .chunked:
                [.send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked"))]
                    + stride(from: 0, to: body.count, by: 7_000).flatMap { start in
                        let data = body[start..<min(start + 7_000, body.count)]
                        return [
                            Step.send(String(data.count, radix: 16) + "\n"),
                            .sendBytes(Array(data)), .send("\n"),
                        ]
                    } + [.send("0\n\n")]
            case .untilClose:
                [.send(head("HTTP/1.1 200 OK")), .sendBytes(body), .finish]
            }
        }
    }

    @Test(arguments: Framing.allCases, [0, 1, 1_000, 140_000, 400_000])
    func `an answer arrives byte for byte`(framing: Framing, count: Int) throws {
        let stage = try Stage()
        let body = Self.body(count)
        stage.replica.answer = { _, _ in framing.steps(body) }
        for version in ["1.1", "1.0"] {
            let answer = try stage.ask(head("GET / HTTP/\(version)", "Host: a"))
            let isSame = answer.body == body
            #expect(isSame, "\(answer.body.count) of \(count) bytes")
        }
    }

    @Test(arguments: Framing.allCases)
    func `an answer arrives the same, however the network cuts it`(framing: Framing) throws {
        var conditions = Conditions.kind
        conditions.tinySegments = 0.5
        conditions.shortSends = 0.5
        conditions.partialBatches = 0.3
        conditions.sendBufferBytes = 2_048...4_096
        conditions.receiveBufferBytes = 2_048...4_096
        let stage = try Stage(conditions: conditions)
        let body = Self.body(30_000)
        stage.replica.answer = { _, _ in framing.steps(body) }
        for _ in 0..<3 {
            let isSame = try stage.ask(Self.get).body == body
            #expect(isSame)
        }
    }

    @Test func `bytes go on as they come`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [
                .send(
                    head(
                        "HTTP/1.1 200 OK",
                        "Transfer-Encoding: chunked",
                        "Content-Type: text/event-stream"
                    )
                ),
                .wait(.seconds(1)), .send("3\none\n"), .wait(.seconds(1)), .send("3\ntwo\n0\n\n"),
            ]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.pass(.milliseconds(500))
        #expect(client.partial?.status == 200)
        stage.pass(.seconds(1))
        #expect(client.partial?.text == "one")
        stage.pass(.seconds(1))
        #expect(client.answers.map(\.text) == ["onetwo"])
    }

    // MARK: an honest end

    @Test func `a request goes on while the body that was announced for its answer is missing`()
        throws
    {
        let stage = try Stage()
        stage.replica.answerToHead = { _, _ in
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 3"))]
        }
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 4") + "ab")
        stage.pass(.milliseconds(50))
        client.send("cd".bytes)
        stage.pass(.milliseconds(50))
        #expect(stage.replica.requests.map(\.text) == ["abcd"])
        stage.replica.act([.send("yes")])
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.text) == ["yes"])
    }

    /// RFC 9112 §8: what is cut must look cut.
    @Test(arguments: ["close", "reset"], ["1.1", "1.0"])
    func `an answer with a length that breaks off is cut`(how: String, version: String) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [
                .send(head("HTTP/1.1 200 OK", "Content-Length: 100") + "some"),
                .wait(.milliseconds(20)), how == "close" ? .close : .reset,
            ]
        }
        let client = stage.client()
        client.send(head("GET / HTTP/\(version)", "Host: a"))
        stage.run(within: .seconds(5)) { client.hasEnded }
        #expect(client.hasEnded && client.answers.isEmpty)
        #expect(stage.accessLog().allSatisfy { $0.contains("upstream_reset") })
    }

    @Test(arguments: ["close", "reset", "nonsense"])
    func `chunks that break off get no last chunk`(how: String) throws {
        let stage = try Stage()
        let last: Step = how == "close" ? .close : how == "reset" ? .reset : .send("xyz\n")
        stage.replica.answer = { _, _ in
            [
                .send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "4\nsome\n"),
                .wait(.milliseconds(20)), last,
            ]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(5)) { client.hasEnded }
        #expect(client.hasEnded && client.answers.isEmpty)
        #expect(client.text.hasSuffix("4\r\nsome\r\n"))
    }

    @Test func `where only the close ends a body, breaking off is a reset`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [
                .send(head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "4\nsome\n"),
                .wait(.milliseconds(20)), .close,
            ]
        }
        let client = stage.client()
        client.send(head("GET / HTTP/1.0", "Host: a"))
        stage.run(within: .seconds(5)) { client.hasEnded }
        #expect(client.wasReset && client.answers.isEmpty)
    }

    @Test func `a replica that dies before its body's first byte has not answered`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        var isFirst = true
        for replica in stage.replicas {
            replica.answer = { _, _ in
                defer { isFirst = false }
                guard isFirst else { return [.send(ScriptedReplica.ok("whole"))] }
                return [
                    .send(head("HTTP/1.1 200 OK", "Content-Length: 9")),
                    .wait(.milliseconds(20)), .reset,
                ]
            }
        }
        let answer = try stage.ask(Self.get)
        #expect(answer.text == "whole")
        #expect(answer.head.values("X-Sluice-Attempts") == ["2"])
    }

    @Test func `silence inside an answer is cut in the end`() throws {
        let stage = try Stage(Stage.Settings(pool: #"streamIdle: "3s","#))
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 100") + "some")]
        }
        let client = stage.client()
        client.send(Self.get)
        let start = stage.world.elapsed
        stage.run { client.hasEnded }
        let waited = stage.world.elapsed - start
        #expect(waited >= .seconds(3) && waited < .seconds(5), "\(waited)")
        #expect(stage.accessLog().allSatisfy { $0.contains("stream_stalled") })
        #expect(stage.pool.snapshot().inFlight == 0)
    }

    @Test func `an answer that takes longer than its deadline is cut`() throws {
        let stage = try Stage(Stage.Settings(route: #"timeout: "2s","#))
        stage.replica.answer = { _, _ in
            var steps: [Step] = [.send(head("HTTP/1.1 200 OK", "Content-Length: 100"))]
            for _ in 0..<50 { steps += [.send("xx"), .wait(.milliseconds(200))] }
            return steps
        }
        let client = stage.client()
        client.send(Self.get)
        let start = stage.world.elapsed
        stage.run { client.hasEnded }
        #expect(client.answers.isEmpty)
        #expect(stage.world.elapsed - start < .seconds(3))
        #expect(stage.accessLog().allSatisfy { $0.contains("upstream_timeout") })
    }

    // MARK: back-pressure and leaving

    @Test(arguments: Framing.allCases)
    func `a slow client slows its replica, in bounded memory`(framing: Framing) throws {
        let stage = try Stage()
        let body = Self.body(900_000)
        stage.replica.answer = { _, _ in framing.steps(body) }
        let client = stage.client()
        client.isPaused = true
        client.send(Self.get)
        stage.pass(.seconds(2))
        let inUse = try stage.onLoop { $0.buffers.inUse }
        #expect(inUse <= 2, "\(inUse)")
        client.isPaused = false
        stage.run(within: .seconds(30)) { !client.answers.isEmpty || client.hasEnded }
        let isSame = client.answers.first?.body == body
        #expect(isSame)
    }

    @Test func `a client that takes nothing is given up`() throws {
        let stage = try Stage(Stage.Settings(top: #"timeouts: { write: "2s" },"#))
        stage.replica.answer = { _, _ in Framing.length.steps(Self.body(900_000)) }
        let client = stage.client()
        client.isPaused = true
        client.send(Self.get)
        stage.run(within: .seconds(5)) { stage.pool.snapshot().inFlight == 1 }
        #expect(stage.run(within: .seconds(5)) { stage.pool.snapshot().inFlight == 0 })
        #expect(stage.accessLog().allSatisfy { $0.contains("client_gone") })
    }

    @Test(arguments: [false, true])
    func `a client that leaves ends its replica's work`(resets: Bool) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 100") + "some")]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { client.partial?.text == "some" }
        if resets { client.reset() } else { client.close() }
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 0 }
        stage.pass(.milliseconds(10))
        #expect(stage.pool.snapshot().inFlight == 0)
        #expect(stage.replica.openConnections == 0)
    }

    @Test func `a fragile replica may finish without its client`() throws {
        let stage = try Stage(Stage.Settings(pool: #"onClientAbort: "finish","#))
        stage.replica.answer = { _, _ in
            [
                .send(head("HTTP/1.1 200 OK", "Content-Length: 8") + "some"),
                .wait(.seconds(1)), .send("more"),
            ]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { client.partial?.text == "some" }
        client.close()
        stage.pass(.milliseconds(500))
        #expect(stage.pool.snapshot().inFlight == 1)
        stage.pass(.milliseconds(600))
        #expect(stage.pool.snapshot().inFlight == 0)
        #expect(stage.replica.resets == 0)
        // Its connection is as good as before.
        try stage.ask(Self.get)
        #expect(stage.replica.connections == 1)
    }

    // MARK: the replica's connection afterwards

    @Test func `a clean connection serves the next request`() throws {
        let stage = try Stage()
        for _ in 0..<5 { try stage.ask(Self.get) }
        #expect(stage.replica.requests.map(\.connection) == [0, 0, 0, 0, 0])
    }

    /// RFC 9112 §9.2, §9.6.
    @Test(arguments: [
        ("Connection: close", ""), ("X: y", "surplus"), ("X: y", "HTTP/1.1 200 OK\n\n"),
    ])
    func `a connection that is not clean serves nobody any more`(
        field: String,
        surplus: String
    ) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 200 OK", field, "Content-Length: 2") + "ok" + surplus)]
        }
        for _ in 0..<3 { #expect(try stage.ask(Self.get).text == "ok") }
        #expect(stage.replica.requests.map(\.connection) == [0, 1, 2])
    }

    @Test func `bytes that nobody asked for reach nobody`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, number in
            number == 0
                ? [
                    .send(ScriptedReplica.ok("ok")), .wait(.milliseconds(50)),
                    .send(ScriptedReplica.ok("unasked")),
                ] : [.send(ScriptedReplica.ok("asked"))]
        }
        #expect(try stage.ask(Self.get).text == "ok")
        stage.pass(.milliseconds(200))
        #expect(try stage.ask(Self.get).text == "asked")
        #expect(stage.replica.requests.map(\.connection) == [0, 1])
    }

    @Test func `a connection on which the request was not all sent is not kept`() throws {
        let stage = try Stage()
        stage.replica.answerToHead = { _, _ in [.send(ScriptedReplica.ok("early"))] }
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 1000") + "part")
        stage.run(within: .seconds(5)) { client.hasEnded }
        #expect(client.answers.map(\.text) == ["early"])
        stage.pass(.milliseconds(100))
        #expect(stage.replica.openConnections == 0)
    }
}
