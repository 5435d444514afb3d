import Configuration
import Foundation
import Synchronization
import Testing
import Transport

@testable import Gateway

@Suite struct `Admin answers` {
    @Test func `there is nothing at other paths`() throws {
        try withAdminStage { stage in
            try #expect(stage.ask("GET", "/nope").status == 404)
        }
    }

    @Test(arguments: ["/reload", "/drain", "/undrain"])
    func `commands take POST only`(path: String) throws {
        try withAdminStage { stage in
            let answer = try stage.ask("GET", path)
            #expect(answer.status == 405 && answer.head.contains("Allow: POST"))
        }
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
    func `pages take GET and HEAD only`(method: String) throws {
        try withAdminStage { stage in
            let answer = try stage.ask(method, "/status")
            #expect(answer.status == 405 && answer.head.contains("Allow: GET, HEAD"))
        }
    }

    @Test(arguments: ["/status", "/metrics", "/nope", "/"])
    func `with a token, whoever lacks it is turned away`(path: String) throws {
        try withAdminStage({ $0.admin.token = "s3cret" }) { stage in
            for fields in [[], ["Authorization: Bearer s3cre"], ["Authorization: Basic s3cret"]] {
                let answer = try stage.ask("GET", path, fields)
                #expect(answer.status == 401)
                #expect(answer.head.contains("WWW-Authenticate: Bearer"))
            }
        }
    }

    @Test func `with a token, whoever has it is served`() throws {
        try withAdminStage({ $0.admin.token = "s3cret" }) { stage in
            let answer = try stage.ask("GET", "/status", ["Authorization: Bearer s3cret"])
            #expect(answer.status == 200)
        }
    }

    @Test(arguments: ["/live", "/ready"])
    func `what an orchestrator probes needs no token`(path: String) throws {
        try withAdminStage({ $0.admin.token = "s3cret" }) { stage in
            try #expect(stage.ask("GET", path).status == 200)
        }
    }

    @Test func `commands are not taken from web pages`() throws {
        try withAdminStage { stage in
            let answer = try stage.ask("POST", "/reload", ["Origin: http://example.org"])
            #expect(answer.status == 403)
        }
    }

    @Test func `ready says no as soon as the gateway is told to stop`() throws {
        try withAdminStage({ $0.shutdown.drainDelay = .seconds(60) }) { stage in
            stage.drain()
            try #expect(stage.ask("GET", "/ready").status == 503)
            try #expect(stage.ask("GET", "/live").status == 200)
        }
    }

    // MARK: reload

    @Test func `a reload tells what has changed`() throws {
        try withAdminStage(reload: { $0(.applied(["sales: concurrency 1→2"])) }) { stage in
            let answer = try stage.ask("POST", "/reload")
            #expect(answer.status == 200)
            #expect(answer.member("changes") as? [String] == ["sales: concurrency 1→2"])
        }
    }

    @Test func `a refused reload tells the problems`() throws {
        try withAdminStage(reload: { $0(.refused("x.json5:1:1: error: no")) }) { stage in
            let answer = try stage.ask("POST", "/reload")
            #expect(answer.status == 422)
            #expect(answer.member("detail") as? String == "x.json5:1:1: error: no")
        }
    }

    @Test func `a reload may be answered later, from another thread`() throws {
        let late = Mutex<(@Sendable (ReloadOutcome) -> Void)?>(nil)
        try withAdminStage(reload: { done in late.withLock { $0 = done } }) { stage in
            Thread {
                while true {
                    if let done = late.withLock({ $0 }) { return done(.applied([])) }
                    sched_yield()
                }
            }.start()
            try #expect(stage.ask("POST", "/reload").status == 200)
        }
    }

    @Test func `without a file there is nothing to reload`() throws {
        try withAdminStage { stage in
            try #expect(stage.ask("POST", "/reload").status == 409)
        }
    }

    // MARK: drain

    @Test func `a replica is drained and taken back`() throws {
        try withAdminStage({ $0.addPool("sales", path: "/", [("127.0.0.1", 1)]) }) { stage in
            let target = "?pool=sales&replica=127.0.0.1%3A1"
            let drained = try stage.ask("POST", "/drain" + target)
            #expect(drained.member("state") as? String == "draining")
            let undrained = try stage.ask("POST", "/undrain" + target)
            #expect(undrained.member("state") as? String != "draining")
        }
    }

    @Test(arguments: [
        ("?pool=nope&replica=127.0.0.1:1", 404), ("?pool=sales&replica=nope", 404),
        ("?pool=sales", 400), ("", 400),
    ])
    func `a replica that is not there cannot be drained`(query: String, status: Int) throws {
        try withAdminStage({ $0.addPool("sales", path: "/", [("127.0.0.1", 1)]) }) { stage in
            try #expect(stage.ask("POST", "/drain" + query).status == status)
        }
    }

    // MARK: explain

    @Test func `an ended request is explained, whichever loop served it`() throws {
        try withAdminStage(loops: 2) { stage in
            for number in 0..<8 {
                _ = try stage.send(
                    "GET /x HTTP/1.1\r\nHost: a\r\nX-Request-ID: r\(number)\r\n"
                        + "Connection: close\r\n\r\n",
                    to: stage.bound.listeners[0]
                )
            }
            for number in 0..<8 {
                let answer = try stage.ask("GET", "/explain?id=r\(number)")
                #expect(answer.member("state") as? String == "ended")
                let exchange = answer.member("exchange") as? [String: Any]
                #expect(exchange?["reason"] as? String == "no_route")
            }
        }
    }

    @Test func `a waiting request is explained`() throws {
        try withAdminStage({ $0.addPool("empty", path: "/") }) { stage in
            let client = try BlockingConnection.open(
                to: stage.bound.listeners[0],
                until: .now + .seconds(10)
            )
            try client.send(Array("GET / HTTP/1.1\r\nHost: a\r\nX-Request-ID: w\r\n\r\n".utf8))
            var answer = try stage.ask("GET", "/explain?id=w")
            while answer.status == 404 { answer = try stage.ask("GET", "/explain?id=w") }
            #expect(answer.member("state") as? String == "in_flight")
            let story = answer.member("explanation") as? [String]
            #expect(story?.last == "It waits for a free slot.")
        }
    }

    @Test func `an unknown request is not explained`() throws {
        try withAdminStage { stage in
            try #expect(stage.ask("GET", "/explain?id=nobody").status == 404)
            try #expect(stage.ask("GET", "/explain").status == 400)
        }
    }
}
