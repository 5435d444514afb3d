import Balancing
import Foundation
import Simulation
import Testing
import Transport

@testable import Gateway

/// Every exchange ends with one line and one count.
@Suite struct `Accounting` {
    private static let get = head("GET /predict?secret=1 HTTP/1.1", "Host: a", "X-Request-ID: id")

    /// The only line of the access log.
    private func line(_ stage: Stage) throws -> [String: Any] {
        stage.pass(.milliseconds(10))
        let lines = stage.accessLog()
        #expect(lines.count == 1, "\(lines)")
        let object = try JSONSerialization.jsonObject(with: Data((lines.first ?? "").utf8))
        return try #require(object as? [String: Any])
    }

    @Test func `a served exchange is told in one line`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.wait(.milliseconds(20)), .send(ScriptedReplica.ok("hello"))]
        }
        try stage.ask(
            head(
                "POST /predict?secret=1 HTTP/1.1",
                "Host: a",
                "X-Request-ID: id",
                "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
                "Content-Length: 3"
            ) + "abc"
        )
        let line = try line(stage)
        #expect(line["method"] as? String == "POST")
        #expect(line["target"] as? String == "/predict")
        #expect(line["status"] as? Int == 200)
        #expect(line["reason"] as? String == "ok")
        #expect(line["pool"] as? String == "m")
        #expect(line["route"] as? String == "r")
        #expect(line["replica"] as? String == "10.1.0.1:5000")
        #expect(line["attempts"] as? Int == 1)
        #expect(line["client"] as? String == "10.9.0.1")
        #expect(line.values.contains { $0 as? String == "id" })
        #expect(line.values.contains { $0 as? String == "0af7651916cd43dd8448eb211c80319c" })
        #expect(line.values.contains { $0 as? Int == 5 })
        #expect(line.values.contains { $0 as? Int == 3 })
        let text = "\(line)"
        #expect(text.contains("2026-01-01T00:00:01"))
        #expect(!text.contains("secret"))
    }

    @Test func `a query is told only where that is asked for`() throws {
        let stage = try Stage(Stage.Settings(top: "accessLog: { query: true },"))
        try stage.ask(Self.get)
        #expect(try line(stage)["target"] as? String == "/predict?secret=1")
    }

    @Test func `nothing is told when that is switched off, but all is counted`() throws {
        let stage = try Stage(Stage.Settings(top: "accessLog: { enabled: false },"))
        try stage.ask(Self.get)
        stage.pass(.milliseconds(10))
        #expect(stage.accessLog() == [])
        let page = try stage.metrics()
        #expect(
            page.contains(
                "sluice_requests_total{pool=\"m\",route=\"r\",code=\"200\",reason=\"ok\"} 1"
            )
        )
    }

    @Test func `a client that got nothing is told as 499`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in [] }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 1 }
        client.close()
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 0 }
        let line = try line(stage)
        #expect(line["status"] as? Int == 499)
        #expect(line["reason"] as? String == "client_gone")
    }

    @Test func `a client that leaves inside its answer is told with its status`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 9") + "some")]
        }
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { client.partial?.text == "some" }
        client.close()
        stage.run(within: .seconds(1)) { stage.pool.snapshot().inFlight == 0 }
        let line = try line(stage)
        #expect(line["status"] as? Int == 200)
        #expect(line["reason"] as? String == "client_gone")
        #expect(line["bytesOut"] as? Int == 4)
    }

    @Test(arguments: [
        ("GET /x HTTP/1.1\nHost: b\n\n", 404, "no_route"),
        ("GET / HTTP/1.1\nHost: a b\n\n", 400, "bad_request"),
    ])
    func `what no route took is told without one`(
        request: String,
        status: Int,
        reason: String
    ) throws {
        let stage = try Stage(Stage.Settings(route: #"host: "a","#))
        try stage.ask(request)
        let line = try line(stage)
        #expect(line["status"] as? Int == status)
        #expect(line["reason"] as? String == reason)
        let page = try stage.metrics()
        let series = "{pool=\"\",route=\"\",code=\"\(status)\",reason=\"\(reason)\"} 1"
        #expect(page.contains("sluice_requests_total" + series))
    }

    @Test func `attempts and retries are counted by what became of them`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2))
        var isFirst = true
        for replica in stage.replicas {
            replica.answer = { _, _ in
                defer { isFirst = false }
                return isFirst ? [.reset] : [.send(ScriptedReplica.ok("ok"))]
            }
        }
        try stage.ask(Self.get)
        stage.pass(.milliseconds(10))
        let page = try stage.metrics()
        #expect(page.contains("sluice_retries_total{pool=\"m\",cause=\"reset\"} 1"))
        let attempts = page.split(separator: "\n").filter {
            $0.hasPrefix("sluice_upstream_attempts_total") && !$0.hasSuffix(" 0")
        }
        #expect(attempts.count == 2)
        #expect(attempts.contains { $0.contains("result=\"reset\"") })
        #expect(attempts.contains { $0.contains("result=\"success\"") })
        #expect(page.contains("sluice_queue_wait_seconds_count{pool=\"m\",outcome=\"leased\"} 2"))
    }

    @Test func `every exchange on a connection has its own line`() throws {
        let stage = try Stage()
        let client = stage.client()
        for number in 0..<5 { client.send(head("GET /\(number) HTTP/1.1", "Host: a")) }
        stage.run(within: .seconds(1)) { client.answers.count == 5 }
        stage.pass(.milliseconds(10))
        let lines = stage.accessLog()
        #expect(lines.count == 5)
        for (number, line) in lines.enumerated() { #expect(line.contains("\"/\(number)\"")) }
    }
}
