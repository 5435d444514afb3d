// Bounds: what is refused, when, and that the process itself stays small.

import Foundation
import Testing

@Suite struct `Limits` {
    private func fillsTheReplica(
        _ sluice: Sluice,
        _ stub: StubReplica
    ) async throws -> RawConnection {
        let client = try RawConnection(to: sluice.address)
        client.send("GET /first?fault=hang HTTP/1.1\r\nHost: a\r\n\r\n")
        try await eventually("the first request") { try await stub.stats().inFlight == 1 }
        return client
    }

    @Test func `of the queue turn away the newest, who learns when to come back`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], pool: "queue: { limit: 1 }")
            let first = try await fillsTheReplica(sluice, stub)
            let second = try RawConnection(to: sluice.address)
            second.send("GET /second HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("a waiter") {
                try await sluice.metric("sluice_queue_waiters") == 1
            }
            let third = try await ask(sluice.address, "GET", "/third")
            #expect(third.status == 429)
            #expect(third["x-sluice-reason"] == "queue_full")
            let seconds = third["retry-after"].flatMap { Int($0) } ?? 0
            #expect((1...60).contains(seconds))
            first.reset()
            try await second.wait(for: "\"target\":\"/second\"")
        }
    }

    @Test func `of the wait end it with 429`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                pool: #"queue: { timeout: "200ms" }"#
            )
            let first = try await fillsTheReplica(sluice, stub)
            let second = try await ask(sluice.address, "GET", "/second")
            #expect(second.status == 429)
            #expect(second["x-sluice-reason"] == "queue_timeout")
            first.reset()
        }
    }

    @Test func `of a client's own time end its request with 504`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let reply = try await ask(
                sluice.address,
                "GET",
                "/?fault=hang",
                fields: ["X-Request-Timeout": "200ms"]
            )
            #expect(reply.status == 504)
            try await eventually("the request's end") { try await stub.stats().inFlight == 0 }
        }
    }

    @Test func `of a body refuse it before any replica is bothered`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], route: #"bodyBytes: "1KiB""#)
            let client = try RawConnection(to: sluice.address)
            client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000\r\n\r\n")
            try await client.wait(for: "HTTP/1.1 413 ")
            let stats = try await stub.stats()
            #expect(stats.served + stats.aborted == 0)
        }
    }

    @Test func `of connections refuse the next one, and go on with the others`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: "limits: { connections: 2 },"
            )
            let kept = try [RawConnection(to: sluice.address), RawConnection(to: sluice.address)]
            for client in kept {
                client.send("GET /kept HTTP/1.1\r\nHost: a\r\n\r\n")
                try await client.wait(for: "/kept")
            }
            let third = try RawConnection(to: sluice.address)
            _ = try await third.waitForEnd()
            #expect(third.received.isEmpty)
            kept[0].forget()
            kept[0].send("GET /again HTTP/1.1\r\nHost: a\r\n\r\n")
            try await kept[0].wait(for: "/again")
        }
    }

    @Test func `of memory hold while a slow client takes a large answer`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let bytes = 40_000_000
            let client = try RawConnection(to: sluice.address)
            client.send("GET /?bytes=\(bytes) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            // Nobody reads: the replica cannot send on, since nothing piles up in between.
            try await eventually("the replica's answer stuck") {
                let leased = try await sluice.metric("sluice_replica_in_flight")
                return try await stub.stats().inFlight == 1 && leased == 1
            }
            let resident = try await sluice.metric("process_resident_memory_bytes")
            #expect(resident > 0 && resident < 100_000_000)
            _ = try await client.waitForEnd(within: .seconds(20))
            let reply = try #require(Reply(client.received, isEnded: true))
            #expect(reply.body.utf8.count == bytes)
        }
    }
}
