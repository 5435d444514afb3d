import HTTPWire
import Simulation
import Testing

@testable import Gateway

/// The head that the client gets of a replica's answer.
@Suite struct `Answer fields` {
    /// What a client gets for a request when the replica answers with these bytes.
    private func answer(
        to request: String = head("GET / HTTP/1.1", "Host: a", "X-Request-ID: id"),
        with answer: String,
        _ settings: Stage.Settings = Stage.Settings(),
        then last: [Step] = []
    ) throws -> ClientAnswer {
        let stage = try Stage(settings)
        stage.replica.answer = { _, _ in [.send(answer)] + last }
        return try stage.ask(request)
    }

    @Test func `an answer goes on with what the gateway adds`() throws {
        let got = try answer(
            with: head("HTTP/1.1 200 Fine", "Server: model", "Content-Length: 2") + "ok"
        )
        let lines = got.rawHead.split(separator: "\n").map(String.init)
        #expect(
            Array(lines.prefix(6)) == [
                "HTTP/1.1 200 Fine",
                "Server: model",
                "Content-Length: 2",
                "Date: Thu, 01 Jan 2026 00:00:01 GMT",
                "Via: 1.1 sluice",
                "X-Request-ID: id",
            ]
        )
        let timing = /Server-Timing: queue;dur=[0-9.]+, connect;dur=[0-9.]+, ttfb;dur=[0-9.]+/
        #expect(lines.count == 9 && lines[6].wholeMatch(of: timing) != nil, "\(lines)")
        #expect(
            Array(lines.suffix(2)) == ["X-Sluice-Replica: 10.1.0.1:5000", "X-Sluice-Attempts: 1"]
        )
        #expect(got.text == "ok")
    }

    @Test func `each field about the gateway can be switched off`() throws {
        let settings = Stage.Settings(
            route: "responseHeaders: { serverTiming: false, replica: false, attempts: false },"
        )
        let got = try answer(with: ScriptedReplica.ok("ok"), settings)
        for name in ["Server-Timing", "X-Sluice-Replica", "X-Sluice-Attempts"] {
            #expect(got.head.values(name) == [], "\(name)")
        }
    }

    @Test func `what a replica says in the gateway's name is removed`() throws {
        let got = try answer(
            with: ScriptedReplica.ok(
                "ok",
                "X-Sluice-Replica: liar\nX-Sluice-Reason: ok\nX-Request-ID: other\n"
            )
        )
        #expect(got.head.values("X-Sluice-Replica") == ["10.1.0.1:5000"])
        #expect(got.head.values("X-Sluice-Reason") == [])
        #expect(got.head.values("X-Request-ID") == ["id"])
    }

    /// RFC 9110 §7.6.3.
    @Test func `Via grows by one`() throws {
        let got = try answer(with: ScriptedReplica.ok("ok", "Via: 1.1 inner\nVia: 1.0 other\n"))
        #expect(got.head.values("Via") == ["1.1 inner, 1.0 other, 1.1 sluice"])
    }

    /// RFC 9110 §6.6.1.
    @Test func `a date that is there stays`() throws {
        let date = "Sun, 06 Nov 1994 08:49:37 GMT"
        let got = try answer(with: ScriptedReplica.ok("ok", "Date: \(date)\n"))
        #expect(got.head.values("Date") == [date])
    }

    /// RFC 9110 §7.6.1, §5.3.
    @Test func `fields of one connection stay there, others keep their order`() throws {
        let got = try answer(
            with: ScriptedReplica.ok(
                "ok",
                "Set-Cookie: a=1\nConnection: X-Named\nX-Named: 1\nSet-Cookie: b=2\n"
                    + "Keep-Alive: timeout=5\nProxy-Authenticate: Basic\nSet-Cookie: a=1\n"
            )
        )
        #expect(got.head.values("Set-Cookie") == ["a=1", "b=2", "a=1"])
        for name in ["Connection", "X-Named", "Keep-Alive", "Proxy-Authenticate"] {
            #expect(got.head.values(name) == [], "\(name)")
        }
    }

    @Test(arguments: [
        ("text/event-stream", "", ["no"]), ("text/event-stream; charset=utf-8", "", ["no"]),
        ("text/event-stream", "X-Accel-Buffering: yes\n", ["yes"]), ("application/json", "", []),
    ])
    func `streams of events ask others not to hold them`(
        type: String,
        own: String,
        expected: [String]
    ) throws {
        let got = try answer(with: ScriptedReplica.ok("ok", "Content-Type: \(type)\n\(own)"))
        #expect(got.head.values("X-Accel-Buffering") == expected)
    }

    // MARK: framing

    @Test func `chunks go on as chunks`() throws {
        let got = try answer(
            with: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "2;x\nok\n0\n\n"
        )
        #expect(got.head.values("Transfer-Encoding") == ["chunked"])
        #expect(got.text == "ok")
    }

    @Test func `a body that ends with the connection becomes chunks`() throws {
        let got = try answer(with: head("HTTP/1.1 200 OK") + "all of it", then: [.close])
        #expect(got.head.values("Transfer-Encoding") == ["chunked"])
        #expect(got.text == "all of it")
    }

    /// RFC 9112 §6.1: no chunks to 1.0; the end of the connection ends the body.
    @Test func `a client of 1,0 gets no chunks and then the end`() throws {
        let got = try answer(
            to: head("GET / HTTP/1.0", "Host: a", "Connection: keep-alive"),
            with: head("HTTP/1.1 200 OK", "Transfer-Encoding: chunked") + "2\nok\n0\n\n"
        )
        #expect(got.head.values("Transfer-Encoding") == [])
        #expect(got.head.values("Connection") == ["close"])
        #expect(got.text == "ok")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", "", []), ("GET / HTTP/1.1", "Connection: close", ["close"]),
        ("GET / HTTP/1.0", "", ["close"]),
        ("GET / HTTP/1.0", "Connection: keep-alive", ["keep-alive"]),
    ])
    func `Connection is said where it cannot be assumed`(
        line: String,
        field: String,
        expected: [String]
    ) throws {
        let lines = [line, "Host: a"] + (field.isEmpty ? [] : [field])
        let request = lines.joined(separator: "\n") + "\n\n"
        let got = try answer(to: request, with: ScriptedReplica.ok("ok"))
        #expect(got.head.values("Connection") == expected)
    }

    /// RFC 9110 §9.3.2, RFC 9112 §6.3.
    @Test func `the answer to HEAD keeps its length and has no body`() throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [.send(head("HTTP/1.1 200 OK", "Content-Length: 5"))]
        }
        let client = stage.client()
        client.send(head("HEAD / HTTP/1.1", "Host: a") + head("HEAD /2 HTTP/1.1", "Host: a"))
        client.expectAnswer(to: "HEAD")
        stage.run { client.answers.count == 2 }
        #expect(client.answers.map { $0.head.values("Content-Length") } == [["5"], ["5"]])
        #expect(client.answers.map(\.body) == [[], []])
    }

    /// RFC 9110 §8.6, §15.4.5.
    @Test(arguments: [(204, []), (304, ["7"])])
    func `an answer without a body says no length that is not allowed`(
        status: Int,
        expected: [String]
    ) throws {
        let got = try answer(with: head("HTTP/1.1 \(status) X", "Content-Length: 7"))
        #expect(got.status == status)
        #expect(got.head.values("Content-Length") == expected)
    }

    /// RFC 9110 §15.2.
    @Test(arguments: [("HTTP/1.1", [103, 102]), ("HTTP/1.0", [])])
    func `interim answers go to clients that know them`(
        version: String,
        expected: [Int]
    ) throws {
        let stage = try Stage()
        stage.replica.answer = { _, _ in
            [
                .send(head("HTTP/1.1 103 Early Hints", "Link: </a>", "Content-Length: 9")),
                .send(head("HTTP/1.1 102 Processing")), .send(ScriptedReplica.ok("ok")),
            ]
        }
        let client = stage.client()
        client.send(head("GET / \(version)", "Host: a"))
        stage.run { client.answers.count == 1 || client.hasEnded }
        #expect(client.interim.map(\.status) == expected)
        #expect(client.answers.map(\.status) == [200])
        for interim in client.interim where interim.status == 103 {
            #expect(interim.values("Link") == ["</a>"])
            #expect(interim.values("Content-Length") == [])
        }
    }

    @Test(arguments: [
        (Duration.zero, "0"), (.milliseconds(12), "12"), (.microseconds(1), "0.001"),
        (.microseconds(1_020), "1.020"), (.microseconds(999_300), "999.300"),
        (.nanoseconds(1), "0"), (.seconds(-1), "0"), (.seconds(300), "300000"),
    ])
    func `durations are written in milliseconds`(duration: Duration, expected: String) {
        #expect(written { $0.write(milliseconds: duration) } == expected)
    }
}
