import Balancing
import Simulation
import Testing
import Transport

@testable import Gateway

/// One attempt: the request goes out, the head of the answer comes in.
@Suite struct `Upstream connection` {
    private static let get = head("GET / HTTP/1.1", "Host: a")
    private static let post = head("POST / HTTP/1.1", "Host: a", "Content-Length: 2") + "ok"

    /// A stage with two replicas, of which the one that is asked first does these steps.
    private func stage(
        first steps: [Step],
        _ settings: Stage.Settings = Stage.Settings(replicas: 2)
    ) throws -> Stage {
        let stage = try Stage(settings)
        var isFirst = true
        for replica in stage.replicas {
            replica.answer = { _, _ in
                defer { isFirst = false }
                return isFirst ? steps : [.send(ScriptedReplica.ok("second"))]
            }
        }
        return stage
    }

    // MARK: answers that are none

    /// RFC 9112 §4, §6.3; wire.md 21.
    @Test(arguments: [
        "nonsense\n\n", "HTTP/1.1 99 X\n\n", "HTTP/2.0 200 OK\n\n", "HTTP/1.1 200 OK\nA : b\n\n",
        "HTTP/1.1 200 OK\nContent-Length: x\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 1\nContent-Length: 2\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: gzip\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 1\nTransfer-Encoding: chunked\n\n",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\nxyz\n",
        "HTTP/1.1 200 OK\nA: b\n c\n\n",
    ])
    func `an answer that cannot be read with certainty is 502`(answer: String) throws {
        let stage = try stage(first: [.send(answer)])
        let got = try stage.ask(Self.post)
        #expect(got.status == 502)
        #expect(got.reason == "upstream_invalid")
    }

    @Test func `a head that does not end is 502`() throws {
        let field = "X: " + String(repeating: "v", count: 1_000) + "\n"
        let stage = try stage(
            first: [.send("HTTP/1.1 200 OK\n" + String(repeating: field, count: 100))])
        let got = try stage.ask(Self.post)
        #expect(got.status == 502)
        #expect(got.reason == "upstream_invalid")
    }

    @Test(arguments: [Step.finish, .reset, .send("HTTP/1.1 200")])
    func `an answer that breaks off before its head is whole is 502`(last: Step) throws {
        let stage = try stage(first: [last, .wait(.milliseconds(5)), .reset])
        let got = try stage.ask(Self.post)
        #expect(got.status == 502)
        #expect(got.reason == "upstream_reset")
    }

    @Test func `no answer is 504 at the deadline`() throws {
        let stage = try stage(first: [], Stage.Settings(route: #"timeout: "3s","#, replicas: 2))
        let start = stage.world.elapsed
        let got = try stage.ask(Self.get)
        let waited = stage.world.elapsed - start
        #expect(got.status == 504)
        #expect(got.reason == "upstream_timeout")
        #expect(waited >= .seconds(3) && waited < .seconds(4))
        // The time is used up: nobody else was asked.
        #expect(stage.replicas.map(\.requests.count).reduce(0, +) == 1)
    }

    @Test func `a replica that takes nothing is given up`() throws {
        let stage = try Stage(Stage.Settings(pool: #"streamIdle: "3s","#))
        stage.replica.answerToHead = { _, _ in [.pause] }
        let client = stage.client()
        client.send(head("POST / HTTP/1.1", "Host: a", "Content-Length: 2000000"))
        client.send([UInt8](repeating: 7, count: 2_000_000))
        stage.run(within: .seconds(60)) { !client.answers.isEmpty || client.hasEnded }
        #expect(client.answers.map(\.status) == [504])
        #expect(stage.pool.snapshot().inFlight == 0)
    }

    // MARK: answers that send the request elsewhere

    @Test(arguments: [502, 503, 504])
    func `another replica is asked when one says that it failed`(status: Int) throws {
        let stage = try stage(first: [.send(ScriptedReplica.ok("bad", status: "\(status) X"))])
        let got = try stage.ask(Self.get)
        #expect(got.text == "second")
        #expect(got.head.values("X-Sluice-Attempts") == ["2"])
        #expect(stage.replicas.map(\.requests.count) == [1, 1])
    }

    @Test(arguments: [500, 501, 400, 404, 429])
    func `other statuses are the answer`(status: Int) throws {
        let stage = try stage(first: [.send(ScriptedReplica.ok("mine", status: "\(status) X"))])
        let got = try stage.ask(Self.get)
        #expect(got.status == status && got.text == "mine")
    }

    @Test func `what may not be repeated keeps the replica's own answer`() throws {
        let stage = try stage(first: [.send(ScriptedReplica.ok("mine", status: "503 Busy"))])
        let got = try stage.ask(Self.post)
        #expect(got.status == 503 && got.text == "mine")
        #expect(got.reason == nil)
        #expect(stage.pool.snapshot().replicas.map(\.consecutiveFailures).max() == 1)
    }

    @Test(arguments: [
        (429, "Retry-After: 2"), (503, "Retry-After: 2"), (429, "retry-after-ms: 20"),
    ])
    func `a replica that is full is held back and another one asked`(
        status: Int,
        field: String
    ) throws {
        let stage = try stage(
            first: [.send(ScriptedReplica.ok("full", "\(field)\n", status: "\(status) X"))])
        let got = try stage.ask(Self.get)
        #expect(got.text == "second")
        let held = stage.pool.snapshot().replicas.filter { $0.state == .degraded }
        #expect(held.count == 1)
        #expect(held.allSatisfy { $0.consecutiveFailures == 0 })
    }

    @Test func `an attempt that follows has less time left`() throws {
        let stage = try stage(
            first: [.wait(.seconds(2)), .reset],
            Stage.Settings(route: #"timeout: "10s","#, replicas: 2)
        )
        try stage.ask(Self.get)
        let left = stage.replicas.flatMap(\.requests)
            .compactMap { $0.head.value("X-Request-Timeout").flatMap(Double.init) }.sorted()
        #expect(left.count == 2)
        #expect(left[0] > 7.8 && left[0] < 8.01, "\(left)")
        #expect(left[1] > 9.8 && left[1] <= 10, "\(left)")
    }

    @Test func `attempts differ in nothing else`() throws {
        let stage = try stage(first: [.reset])
        try stage.ask(Self.get)
        let heads = stage.replicas.flatMap(\.requests).map { request in
            request.rawHead.split(separator: "\n").filter { !$0.hasPrefix("X-Request-Timeout") }
        }
        #expect(heads.count == 2 && heads[0] == heads[1])
    }

    // MARK: interim answers

    @Test func `a hundred interim answers come before the final one`() throws {
        let stage = try stage(
            first: (0..<100).map { _ in .send("HTTP/1.1 103 X\nLink: </a>\n\n") }
                + [.send(ScriptedReplica.ok("last"))]
        )
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(5)) { !client.answers.isEmpty }
        #expect(client.interim.count == 100)
        #expect(client.answers.map(\.text) == ["last"])
    }

    @Test func `an interim answer is not the final one`() throws {
        let stage = try stage(
            first: [.send("HTTP/1.1 100 Continue\n\n"), .wait(.milliseconds(10)), .reset])
        let got = try stage.ask(Self.post)
        #expect(got.status == 502)
    }
}
