import Simulation
import Testing
import Transport

@testable import Gateway

/// The request's bytes on their way to the replica: streamed, held, counted.
@Suite struct `Request body` {
    /// How a client frames its body.
    enum Framing: CaseIterable {
        case length, chunked

        var field: (Int) -> String {
            switch self {
            case .length: { "Content-Length: \($0)" }
            case .chunked: { _ in "Transfer-Encoding: chunked" }
            }
        }

        /// The body on the wire, in chunks of at most so many bytes.
        func wire(_ body: [UInt8], chunk: Int = 1_000) -> [UInt8] {
            guard self == .chunked else { return body }
            var wire: [UInt8] = []
            for start in stride(from: 0, to: body.count, by: chunk) {
                let data = body[start..<min(start + chunk, body.count)]
                wire += (String(data.count, radix: 16) + "\r\n").utf8
                wire += data + [13, 10]
            }
            return wire + "0\r\n\r\n".utf8
        }
    }

    private static func body(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    }

    private static let twice = Stage.Settings(route: "idempotent: true,", replicas: 2)

    /// Lets the first attempt break off in some way, and the second one succeed.
    private func failFirst(_ stage: Stage, _ failing: [Step] = [.reset]) {
        var isFirst = true
        for replica in stage.replicas {
            replica.answer = { _, _ in
                defer { isFirst = false }
                return isFirst ? failing : [.send(ScriptedReplica.ok("ok"))]
            }
        }
    }

    @Test(arguments: Framing.allCases, [0, 1, 50, 5_000, 300_000])
    func `a held body is sent once more, byte for byte`(framing: Framing, count: Int) throws {
        let stage = try Stage(Self.twice)
        failFirst(stage)
        let client = stage.client()
        let body = Self.body(count)
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(count)))
        client.send(framing.wire(body))
        stage.run { !client.answers.isEmpty || client.hasEnded }
        #expect(client.answers.map(\.status) == [200])
        #expect(client.answers.first?.head.values("X-Sluice-Attempts") == ["2"])
        let requests = stage.replicas.flatMap(\.requests)
        #expect(requests.count == 2)
        let areSame = requests.allSatisfy { $0.isWhole && $0.body == body }
        #expect(areSame)
    }

    @Test(arguments: Framing.allCases)
    func `a body arrives the same, however it is cut`(framing: Framing) throws {
        let stage = try Stage(Self.twice)
        let body = "hello world".bytes
        let wire =
            head("POST / HTTP/1.1", "Host: a", framing.field(11)).wire.bytes
            + framing.wire(body, chunk: 4)
        for cut in 1..<wire.count {
            failFirst(stage)
            let seen = stage.replicas.map(\.requests.count)
            let client = stage.client()
            client.expectAnswer(to: "POST")
            client.send(Array(wire[..<cut]))
            stage.pass(.milliseconds(1))
            client.send(Array(wire[cut...]))
            stage.run { !client.answers.isEmpty || client.hasEnded }
            #expect(client.answers.map(\.status) == [200])
            for (replica, before) in zip(stage.replicas, seen) {
                #expect(replica.requests[before...].allSatisfy { $0.body == body })
            }
            client.close()
            stage.pass(.seconds(2))
        }
    }

    @Test(arguments: Framing.allCases)
    func `a body that has outgrown what is held is not sent twice`(framing: Framing) throws {
        let stage = try Stage(
            Stage.Settings(
                pool: #"retries: { bodyBytes: "4KiB" },"#,
                route: "idempotent: true,",
                replicas: 2
            )
        )
        failFirst(stage)
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(300_000)))
        client.send(framing.wire(Self.body(300_000)))
        stage.run { !client.answers.isEmpty || client.hasEnded }
        #expect(client.answers.map(\.status) == [502])
        #expect(stage.replicas.map(\.requests.count).reduce(0, +) == 1)
    }

    @Test(arguments: Framing.allCases)
    func `bytes go on as they come`(framing: Framing) throws {
        let stage = try Stage()
        let client = stage.client()
        let wire = framing.wire(Self.body(30), chunk: 10)
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(30)))
        client.send(Array(wire.prefix(17)))
        #expect(
            stage.run(within: .seconds(1)) { stage.replica.requests.first?.body.isEmpty == false }
        )
        #expect(stage.replica.requests.first?.isWhole == false)
        client.send(Array(wire.dropFirst(17)))
        stage.run { !client.answers.isEmpty }
        #expect(stage.replica.requests.first?.body == Self.body(30))
    }

    /// RFC 9112 §8.
    @Test(arguments: Framing.allCases, [false, true])
    func `a body that is cut never becomes whole at the replica`(
        framing: Framing,
        resets: Bool
    ) throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(300)))
        client.send(Array(framing.wire(Self.body(300), chunk: 100).prefix(150)))
        stage.run(within: .seconds(1)) { stage.replica.requests.first?.body.count ?? 0 > 50 }
        if resets { client.reset() } else { client.finish() }
        stage.pass(.seconds(5))
        #expect(stage.replica.requests.count == 1)
        #expect(stage.replica.requests.first?.isWhole == false)
        #expect(stage.replica.openConnections == 0)
    }

    @Test func `more chunks than allowed are refused on the way`() throws {
        let stage = try Stage(Stage.Settings(route: #"bodyBytes: "1000B","#))
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked"))
        for _ in 0..<4 {
            client.send("12c\r\n".bytes + Self.body(300) + "\r\n".bytes)
            stage.pass(.milliseconds(5))
        }
        stage.run { client.hasEnded }
        #expect(client.answers.map(\.status) == [413])
        #expect(stage.replica.requests.allSatisfy { !$0.isWhole })
    }

    @Test(arguments: Framing.allCases)
    func `a body as large as allowed goes on`(framing: Framing) throws {
        let stage = try Stage(Stage.Settings(route: #"bodyBytes: "1000B","#))
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(1_000)))
        client.send(framing.wire(Self.body(1_000), chunk: 100))
        stage.run { !client.answers.isEmpty || client.hasEnded }
        #expect(client.answers.map(\.status) == [200])
    }

    @Test func `an announced body that is too large is refused before it comes`() throws {
        let stage = try Stage(Stage.Settings(route: #"bodyBytes: "1000B","#))
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 1001"))
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [413])
        #expect(stage.replica.requests.isEmpty)
    }

    /// RFC 9112 §9.6: nothing on that connection can be trusted any more.
    @Test(arguments: ["zz\n", "3\nabcX\n", "3\nabc"])
    func `a broken chunk ends the request and the connection`(rest: String) throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(
            head("POST / HTTP/1.1", "Host: a", "Transfer-Encoding: chunked") + "2\nok\n"
        )
        stage.pass(.milliseconds(10))
        client.send((rest + "\n\n").wire.bytes)
        stage.run(within: .seconds(90)) { client.hasEnded }
        #expect(client.answers.map(\.status).allSatisfy { $0 == 400 || $0 == 408 })
        #expect(client.hasEnded)
        #expect(stage.replica.requests.allSatisfy { !$0.isWhole })
    }

    @Test func `a silent client is not waited for longer than allowed`() throws {
        let stage = try Stage(Stage.Settings(top: #"timeouts: { body: "2s" },"#))
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 10") + "abc")
        let start = stage.world.elapsed
        stage.run { client.hasEnded }
        let waited = stage.world.elapsed - start
        #expect(client.answers.map(\.status) == [408])
        #expect(waited >= .seconds(2) && waited < .seconds(4), "\(waited)")
        #expect(stage.replica.requests.first?.isWhole == false)
    }

    /// RFC 9112 §9.3: an early answer reaches the client, and what is left is no request.
    @Test(arguments: Framing.allCases)
    func `an early answer reaches a client that still sends`(framing: Framing) throws {
        let stage = try Stage()
        stage.replica.answerToHead = { _, _ in
            [.send(ScriptedReplica.ok("no", "Connection: close\n", status: "413 X"))]
        }
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", framing.field(100_000)))
        client.send(Array(framing.wire(Self.body(100_000)).prefix(5_000)))
        stage.run(within: .seconds(2)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [413])
        client.send(head("GET /next HTTP/1.1", "Host: a"))
        stage.run { client.hasEnded }
        #expect(client.answers.count == 1)
        #expect(stage.replica.requests.count == 1)
    }

    /// RFC 9110 §10.1.1.
    @Test func `a client that waits is told to go on once a replica is there`() throws {
        let stage = try Stage(Stage.Settings(concurrency: 1))
        stage.replica.answer = { request, _ in
            request.head.target == "/slow"
                ? [.wait(.seconds(2)), .send(ScriptedReplica.ok("ok"))]
                : [.send(ScriptedReplica.ok("ok"))]
        }
        let first = stage.client()
        first.send(head("GET /slow HTTP/1.1", "Host: a"))
        stage.pass(.milliseconds(50))
        let client = stage.client()
        client.send(
            head("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2")
        )
        stage.pass(.seconds(1))
        #expect(client.interim.isEmpty)
        stage.run { !client.interim.isEmpty }
        #expect(client.interim.map(\.status) == [100])
        client.send("ok".bytes)
        stage.run { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
        #expect(client.interim.count == 1)
    }

    @Test func `a client that waits and is refused is not told to go on`() throws {
        let stage = try Stage(Stage.Settings(route: #"path: "/x","#))
        let client = stage.client()
        client.send(
            head("POST / HTTP/1.1", "Host: a", "Expect: 100-continue", "Content-Length: 2")
        )
        stage.run { client.hasEnded }
        #expect(client.interim.isEmpty)
        #expect(client.answers.map(\.status) == [404])
    }

    @Test(arguments: Framing.allCases)
    func `a slow replica slows its client, in bounded memory`(framing: Framing) throws {
        let stage = try Stage(Stage.Settings(pool: #"retries: { bodyBytes: "64KiB" },"#))
        stage.replica.answerToHead = { _, _ in [.pause] }
        let client = stage.client()
        let body = Self.body(1_200_000)
        client.send(head("PUT / HTTP/1.1", "Host: a", framing.field(body.count)))
        client.send(framing.wire(body))
        stage.pass(.seconds(1))
        // Some is in the buffers of the kernels, most is still with the client.
        #expect(client.undeliveredBytes > 100_000, "\(client.undeliveredBytes)")
        let inUse = try stage.onLoop { $0.buffers.inUse }
        #expect(inUse <= 2, "\(inUse)")
        stage.replica.act([.resume])
        stage.run(within: .seconds(30)) { stage.replica.requests[0].isWhole }
        let isSame = stage.replica.requests[0].body == body
        #expect(isSame)
    }

    @Test(arguments: Framing.allCases)
    func `what follows a body is the next request`(framing: Framing) throws {
        let stage = try Stage()
        let client = stage.client()
        let one = framing.wire("first".bytes)
        client.expectAnswer(to: "POST")
        client.expectAnswer(to: "GET")
        client.send(
            head("POST /1 HTTP/1.1", "Host: a", framing.field(5)).wire.bytes + one
                + head("GET /2 HTTP/1.1", "Host: a").wire.bytes
        )
        stage.run { client.answers.count == 2 || client.hasEnded }
        #expect(stage.replica.requests.map(\.head.target) == ["/1", "/2"])
        #expect(stage.replica.requests.map(\.text) == ["first", ""])
    }

    @Test func `every slab is given back`() throws {
        let stage = try Stage(Self.twice)
        failFirst(stage)
        for framing in Framing.allCases {
            let client = stage.client()
            client.send(head("POST / HTTP/1.1", "Host: a", framing.field(500_000)))
            client.send(framing.wire(Self.body(500_000)))
            stage.run { !client.answers.isEmpty || client.hasEnded }
            client.close()
        }
        stage.pass(.seconds(3))
        #expect(try stage.onLoop { $0.buffers.inUse } == 0)
    }
}
