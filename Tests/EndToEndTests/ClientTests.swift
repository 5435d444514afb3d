// Clients of every kind: curl, half a request, garbage, those who leave.

import Foundation
import Glibc
import Testing

@Suite struct `Clients` {
    /// What the stand-in says of a request.
    private struct Echo: Decodable {
        var method: String
        var target: String
        var bodyBytes: Int
        var bodyHash: String
        var fields: [[String]]?
    }

    private func echo(_ text: String) throws -> Echo {
        try JSONDecoder().decode(Echo.self, from: Data(text.utf8))
    }

    /// FNV-1a, as the stand-in computes it.
    private func hash(_ bytes: [UInt8]) -> String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return String(hash, radix: 16)
    }

    private func onCurl(
        _ options: String...,
        target: String = "/predict",
        check: (_ output: String, _ stub: StubReplica) async throws -> Void
    ) async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let (code, output, errors) = try await stage.run(
                "curl",
                ["-sS", "--max-time", "20"] + options + ["http://\(sluice.address)\(target)"]
            )
            #expect(code == 0, "\(errors)")
            try await check(output, stub)
        }
    }

    @Test func `upload in chunks what arrives whole`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let file = stage.folder.appendingPathComponent("upload")
            try Data(bytes).write(to: file)
            let (code, output, errors) = try await stage.run(
                "curl",
                [
                    "-sS", "-H", "Transfer-Encoding: chunked", "-H", "Expect:", "-X", "POST",
                    "--data-binary", "@\(file.path)", "http://\(sluice.address)/predict",
                ]
            )
            #expect(code == 0, "\(errors)")
            let seen = try echo(output)
            #expect(seen.bodyBytes == bytes.count)
            #expect(seen.bodyHash == hash(bytes))
        }
    }

    @Test(arguments: [200_000, 1_048_576, 9_999_999])
    func `upload a large body that arrives whole`(count: Int) async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            let file = stage.folder.appendingPathComponent("upload")
            try Data(bytes).write(to: file)
            let address = "http://\(sluice.address)/predict"
            // Twice on one connection, so that nothing of the first is left before the second.
            let upload = ["-H", "Expect:", "--data-binary", "@\(file.path)", address]
            let (code, output, errors) = try await stage.run(
                "curl",
                ["-sS", "-w", "\\n"] + upload + ["--next", "-sS"] + upload
            )
            #expect(code == 0, "\(errors)")
            let lines = output.split(separator: "\n")
            #expect(lines.count == 2)
            for line in lines {
                let seen = try echo(String(line))
                #expect(seen.bodyBytes == count)
                #expect(seen.bodyHash == hash(bytes))
            }
        }
    }

    @Test func `that leave in the middle of a large body break it off at the replica`() async throws
    {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n")
            client.send(String(repeating: "x", count: 3_000_000))
            try await eventually("the replica has a part of it") {
                try await sluice.metric("sluice_replica_in_flight") == 1
            }
            client.reset()
            try await eventually("the slot is free again") {
                try await sluice.metric("sluice_replica_in_flight") == 0
            }
            let other = try RawConnection(to: sluice.address)
            other.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            try await other.wait(for: "/next")
        }
    }

    @Test func `are told to go on when they expect 100-continue`() async throws {
        try await onCurl(
            "-v",
            "--stderr",
            "-",
            "-H",
            "Expect: 100-continue",
            "--expect100-timeout",
            "19",
            "-d",
            "hello"
        ) { output, _ in
            #expect(output.contains("HTTP/1.1 100"))
            #expect(output.contains("\"bodyBytes\":5"))
        }
    }

    @Test func `may speak HTTP/1.0, and get no chunks`() async throws {
        try await onCurl("-i", "--http1.0", target: "/stream?tokens=2&interval=1ms") { output, _ in
            #expect(output.contains("data: [DONE]"))
            #expect(!output.lowercased().contains("transfer-encoding"))
        }
    }

    @Test func `get a head and no body for HEAD`() async throws {
        try await onCurl("-I") { output, _ in
            #expect(output.contains("HTTP/1.1 200"))
            #expect(output.lowercased().contains("content-length:"))
            #expect(!output.contains("bodyHash"))
        }
    }

    @Test func `see each event of a stream as it comes`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            // Sixty seconds between two events: the first one cannot have waited for the second.
            let curl = try stage.start(
                "curl",
                ["-sSN", "http://\(sluice.address)/stream?tokens=2&interval=60s"]
            )
            try await eventually("the first event") { curl.outputText.contains("\"token\":0") }
            #expect(!curl.outputText.contains("\"token\":1"))
            #expect(try await stub.stats().inFlight == 1)
        }
    }

    @Test func `who leave end their request at the replica`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send("GET /x?fault=hang HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the request") { try await stub.stats().inFlight == 1 }
            client.reset()
            try await eventually("its end") {
                let stats = try await stub.stats()
                return stats.inFlight == 0 && stats.aborted == 1
            }
            // The slot is free again.
            #expect(try await ask(sluice.address).status == 200)
        }
    }

    @Test func `who leave the queue are never sent to a replica`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let first = try RawConnection(to: sluice.address)
            first.send("GET /first?fault=hang HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the first request") { try await stub.stats().inFlight == 1 }
            let second = try RawConnection(to: sluice.address)
            second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("a waiter") {
                try await sluice.metric("sluice_queue_waiters") == 1
            }
            second.reset()
            try await eventually("no waiter") {
                try await sluice.metric("sluice_queue_waiters") == 0
            }
            first.reset()
            #expect(try await ask(sluice.address, "GET", "/third").status == 200)
            let seen = try await stub.stats()
            #expect(seen.served == 1 && seen.aborted == 1)
        }
    }

    @Test func `who send half a head are answered with 408`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: #"timeouts: { head: "300ms" },"#
            )
            let client = try RawConnection(to: sluice.address)
            client.send("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Le")
            try await client.wait(for: "HTTP/1.1 408")
            #expect(try await client.waitForEnd() == .closed)
        }
    }

    @Test func `who send half a body never cause a whole request`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: #"timeouts: { body: "300ms" },"#
            )
            let client = try RawConnection(to: sluice.address)
            client.send("POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            try await client.wait(for: "HTTP/1.1 408")
            try await eventually("the replica's connection broken") {
                try await stub.stats().inFlight == 0
            }
            #expect(try await stub.stats().served == 0)
        }
    }

    @Test(arguments: [
        "\u{1}\u{2}\u{3}garbage\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET /\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    ]) func `who send garbage get 400 and the end of the connection`(
        _ text: String
    ) async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send(text)
            _ = try await client.waitForEnd()
            #expect(client.received.hasPrefix("HTTP/1.1 400 "))
            #expect(client.received.contains("application/problem+json"))
            #expect(try await stub.stats().served == 0)
        }
    }

    @Test func `may send several requests at once, and get the answers in order`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send((1...5).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            try await client.wait(for: "\"target\":\"/5\"")
            let targets = client.received.matches(of: /"target":"\/(\d)"/).map { String($0.1) }
            #expect(targets == ["1", "2", "3", "4", "5"])
        }
    }

    @Test func `cannot forge what sluice tells the replica`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let reply = try await ask(
                sluice.address,
                "GET",
                "/?echo=fields",
                fields: ["X-Forwarded-For": "6.6.6.6", "X-Sluice-Priority": "9"]
            )
            let fields = try #require(try echo(reply.body).fields)
            let forwarded = fields.filter { $0[0].lowercased() == "x-forwarded-for" }
            #expect(forwarded.map { $0[1] } == ["127.0.0.1"])
            #expect(!fields.contains { $0[0].lowercased().hasPrefix("x-sluice-") })
        }
    }
}
