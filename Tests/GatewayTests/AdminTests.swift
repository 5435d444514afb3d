import Configuration
import Testing
import Transport

@testable import Gateway

@Suite struct `Admin address` {
    @Test(arguments: ["/live", "/ready", "/", "/pools", "/status", "/metrics"])
    func `answers while the gateway runs`(path: String) throws {
        try withAdminStage { stage in
            try #expect(stage.ask("GET", path).status == 200)
        }
    }

    @Test func `serves several requests on one connection`() throws {
        try withAdminStage { stage in
            let two = try stage.send(
                "GET /live HTTP/1.1\r\nHost: a\r\n\r\n"
                    + "GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                to: stage.bound.admin
            )
            #expect(two.contains("live\n") && two.hasSuffix("ready\n"))
        }
    }

    /// RFC 9110 §9.3.2.
    @Test func `sends no body after HEAD, but its length`() throws {
        try withAdminStage { stage in
            let answer = try stage.ask("HEAD", "/live")
            #expect(answer.head.contains("Content-Length: 5") && answer.body.isEmpty)
        }
    }

    @Test func `refuses a body that is too large`() throws {
        try withAdminStage { stage in
            let answer = try stage.ask("POST", "/reload", ["Content-Length: 100000"])
            #expect(answer.status == 413)
        }
    }

    @Test func `reads a small body away`() throws {
        try withAdminStage { stage in
            let text = try stage.send(
                "POST /drain HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
                    + "GET /live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
                to: stage.bound.admin
            )
            #expect(text.hasPrefix("HTTP/1.1 400") && text.hasSuffix("live\n"))
        }
    }

    @Test func `sends a page larger than a slab`() throws {
        try withAdminStage({ configuration in
            for number in 0..<60 { configuration.addPool("p\(number)", path: "/\(number)") }
        }) { stage in
            let answer = try stage.ask("GET", "/metrics")
            #expect(answer.body.utf8.count > 200_000)
            #expect(answer.head.contains("Content-Length: \(answer.body.utf8.count)"))
        }
    }

    @Test func `is neither counted nor held against the limit of clients`() throws {
        try withAdminStage({ $0.limits.connections = 1 }) { stage in
            for _ in 0..<5 { _ = try stage.ask("GET", "/live") }
            #expect(stage.gateway.openConnections == 0)
            let metrics = try stage.ask("GET", "/metrics").body
            #expect(!metrics.contains(#"reason="no_route""#))
            #expect(metrics.contains(#"sluice_client_connections_total{result="accepted"} 0"#))
        }
    }

    @Test func `does not hold up a drain`() throws {
        try withAdminStage({ $0.shutdown.grace = .seconds(3600) }) { stage in
            let idle = try BlockingConnection.open(
                to: stage.bound.admin,
                until: .now + .seconds(10)
            )
            try idle.send(Array("GET /live HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
            var answer: [UInt8] = []
            _ = try idle.receive(into: &answer)
            stage.drain()
            #expect(stage.hasStopped())
        }
    }

    @Test func `takes 64 connections and no more`() throws {
        try withAdminStage { stage in
            for _ in 0..<64 { #expect(stage.gateway.openAdminConnection()) }
            #expect(!stage.gateway.openAdminConnection())
            stage.gateway.closeAdminConnection()
            #expect(stage.gateway.openAdminConnection())
        }
    }
}
