// Replicas that hang, reset, lie about lengths or answer twice: what the client gets.

import Foundation
import Testing

@Suite struct `A replica` {
    /// Asks through a gateway for something that goes wrong; gives what came and how it ended.
    private func with(
        _ fault: String,
        method: String = "POST",
        pool: String = "",
        check: (RawConnection, StubReplica, Sluice) async throws -> Void
    ) async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], pool: pool)
            let client = try RawConnection(to: sluice.address)
            client.send(
                "\(method) /x?fault=\(fault) HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
            )
            try await check(client, stub, sluice)
        }
    }

    @Test(arguments: [
        ("reset", "502", "upstream_reset"), ("half", "502", "upstream_reset"),
        ("garbage", "502", "upstream_invalid"), ("hang", "504", "upstream_timeout"),
    ]) func `without a whole head is answered for`(
        _ fault: String,
        _ status: String,
        _ reason: String
    ) async throws {
        try await with(fault, pool: #"timeout: "500ms""#) { client, _, _ in
            try await client.wait(for: "\r\n\r\n{")
            #expect(client.received.hasPrefix("HTTP/1.1 \(status) "), "\(client.received)")
            #expect(client.received.contains("X-Sluice-Reason: \(reason)\r\n"))
        }
    }

    @Test func `that breaks off a body with a length leaves it visibly short`() async throws {
        try await with("short") { client, _, _ in
            _ = try await client.waitForEnd()
            #expect(client.received.contains("Content-Length: 1000\r\n"))
            #expect(client.received.hasSuffix("too short\n"))
        }
    }

    @Test func `that breaks off a chunked body gets no last chunk invented`() async throws {
        try await with("cut") { client, _, _ in
            _ = try await client.waitForEnd()
            #expect(client.received.contains("the first part"))
            #expect(!client.received.contains("\r\n0\r\n"))
        }
    }

    @Test func `that sends more than it announced is cut to its word, and not used again`()
        async throws
    {
        // No probes that would count among the connections.
        let pool = #"health: { path: "/health", interval: "1h" }"#
        try await with("long", pool: pool) { client, stub, _ in
            try await client.wait(for: "12345")
            let before = try await stub.stats().connections
            client.forget()
            client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.wait(for: "\"target\":\"/next\"")
            #expect(client.received.hasPrefix("HTTP/1.1 200"))
            #expect(!client.received.contains("and more"))
            // One more for the statistics, one more for the request.
            #expect(try await stub.stats().connections == before + 2)
        }
    }

    @Test func `that answers twice is heard once`() async throws {
        try await with("twice") { client, _, _ in
            try await client.wait(for: "first\n")
            client.forget()
            client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            try await client.wait(for: "\"target\":\"/next\"")
            #expect(!client.received.contains("again"))
        }
    }

    @Test func `that answers before it has read the request is heard`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send(
                "POST /x?fault=early HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\nhi"
            )
            try await client.wait(for: "early\n")
            #expect(client.received.hasPrefix("HTTP/1.1 409 "))
        }
    }

    @Test func `that is slow is passed on byte by byte`() async throws {
        try await with("slow-drip&interval=2ms") { client, _, _ in
            try await client.wait(for: "drop by drop\n")
            #expect(client.received.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func `that says 503 is believed when there is no other`() async throws {
        try await with("status503") { client, _, _ in
            try await client.wait(for: "\r\n\r\n")
            #expect(client.received.hasPrefix("HTTP/1.1 503 "))
        }
    }

    @Test(arguments: ["reset", "half", "garbage", "status503"])
    func `that fails is replaced by another when sending twice does no harm`(
        _ fault: String
    ) async throws {
        try await onStage { stage in
            let bad = try await stage.stub("--fault", fault)
            let good = try await stage.stub()
            let sluice = try await stage.sluice(before: [bad, good], route: "idempotent: true")
            try await sluice.waitsForReady(2)
            for _ in 0..<4 {
                let reply = try await ask(sluice.address, "POST", "/predict", body: "hi")
                #expect(reply.status == 200)
                #expect(reply["x-sluice-replica"] == good.address)
            }
            #expect(try await bad.stats().connections > 0)
        }
    }

    @Test func `that fails gets no POST twice`() async throws {
        try await onStage { stage in
            let bad = try await stage.stub("--fault", "reset")
            let good = try await stage.stub("--fault", "reset")
            let sluice = try await stage.sluice(before: [bad, good])
            try await sluice.waitsForReady(2)
            let reply = try await ask(sluice.address, "POST", "/predict", body: "hi")
            #expect(reply.status == 502)
            #expect(reply["x-sluice-attempts"] == "1")
            let seen = try await bad.stats().aborted + good.stats().aborted
            #expect(seen == 1)
        }
    }
}
