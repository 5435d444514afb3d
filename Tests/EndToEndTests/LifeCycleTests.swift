// From the start to the last answer: drains, the second signal, commands on a running gateway.

import Foundation
import Glibc
import Testing

@Suite struct `A gateway` {
    @Test func `that drains finishes what is in flight and says that the connection ends`()
        async throws
    {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let client = try RawConnection(to: sluice.address)
            client.send("GET /slow?hold=true HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the request") { try await stub.stats().inFlight == 1 }
            sluice.child.send(SIGTERM)
            try await eventually("no listener") {
                (try? RawConnection(to: sluice.address)) == nil
            }
            try await stub.release()
            try await client.wait(for: "\"target\":\"/slow")
            #expect(client.received.hasPrefix("HTTP/1.1 200 "))
            #expect(client.received.contains("Connection: close\r\n"))
            #expect(try await sluice.child.exitCode() == 0)
        }
    }

    @Test func `that is told twice stops now`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: #"shutdown: { drainDelay: "100s", grace: "100s" },"#
            )
            let client = try RawConnection(to: sluice.address)
            client.send("GET /slow?fault=hang HTTP/1.1\r\nHost: a\r\n\r\n")
            try await eventually("the request") { try await stub.stats().inFlight == 1 }
            sluice.child.send(SIGTERM)
            try await sluice.waits(for: "draining")
            #expect(try await ask(sluice.admin, "GET", "/ready").status == 503)
            sluice.child.send(SIGTERM)
            #expect(try await sluice.child.exitCode() == 0)
            try await eventually("the replica's request broken off") {
                try await stub.stats().inFlight == 0
            }
        }
    }

    @Test func `needs no file to run a command`() async throws {
        try await onStage { stage in
            let child = try stage.start(
                Places.sluice,
                [
                    "run", "--replicas", "2", "--port", "0", "--host", "127.0.0.1",
                    "--admin", "127.0.0.1:0", "--health", "/health", "--", Places.stubReplica,
                ]
            )
            let address = try await eventually("a listening gateway") {
                child.errorText.firstMatch(of: /listening at (\S+)\n/).map { String($0.1) }
            }
            #expect(try await ask(address, "POST", "/any", body: "hi").status == 200)
            child.send(SIGTERM)
            #expect(try await child.exitCode(within: .seconds(20)) == 0)
        }
    }

    @Test func `drains one replica when told, and takes it back`() async throws {
        try await onStage { stage in
            let stubs = [try await stage.stub(), try await stage.stub()]
            let sluice = try await stage.sluice(before: stubs)
            try await sluice.waitsForReady(2)
            let drained = stubs[0].address

            let drain = try await stage.run(
                Places.sluice,
                ["drain", "--admin", sluice.admin, "model", drained]
            )
            #expect(drain.code == 0, "\(drain.errors)")
            #expect(try await sluice.replicas() == 1)
            for _ in 0..<4 {
                #expect(try await ask(sluice.address)["x-sluice-replica"] == stubs[1].address)
            }
            let undrain = try await stage.run(
                Places.sluice,
                ["undrain", "--admin", sluice.admin, "model", drained]
            )
            #expect(undrain.code == 0, "\(undrain.errors)")
            try await sluice.waitsForReady(2)
        }
    }

    @Test func `tells its state, and what happened to a request`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            let id = "request-\(UInt32.random(in: 0 ... .max))"
            let reply = try await ask(sluice.address, "GET", "/", fields: ["X-Request-ID": id])
            #expect(reply["x-request-id"] == id)

            let status = try await stage.run(Places.sluice, ["status", "--admin", sluice.admin])
            #expect(status.code == 0 && status.output.contains(stub.address), "\(status)")
            let explain = try await stage.run(
                Places.sluice,
                ["explain", "--admin", sluice.admin, id]
            )
            #expect(explain.code == 0 && explain.output.contains(stub.address), "\(explain)")
            let health = try await stage.run(Places.sluice, ["health", "--admin", sluice.admin])
            #expect(health.code == 0, "\(health)")
        }
    }

    @Test func `writes one JSON line for each exchange`() async throws {
        struct Line: Decodable {
            var status: Int
            var reason: String
        }
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub])
            _ = try await ask(sluice.address, "GET", "/one?secret=1")
            _ = try await ask(sluice.address, "GET", "/two?fault=reset", fields: ["Accept": "*/*"])
            let lines = try await eventually("two lines") { () -> [Substring]? in
                let lines = sluice.child.outputText.split(separator: "\n")
                return lines.count < 2 ? nil : lines
            }
            let read = try lines.map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(read.map(\.status) == [200, 502])
            #expect(read.map(\.reason) == ["ok", "upstream_reset"])
            #expect(!sluice.child.outputText.contains("secret"))
        }
    }

    @Test func `serves what a name stands for`() async throws {
        try await onStage { stage in
            let stub = try await stage.stub()
            let port = stub.address.split(separator: ":")[1]
            let sluice = try await stage.sluice(
                """
                pools: { model: { dns: { name: "localhost", port: \(port) },
                  health: { path: "/health" } } },
                routes: [{ path: "/", pool: "model" }],
                """
            )
            let reply = try await ask(sluice.address)
            #expect(reply.status == 200)
            #expect(reply["x-sluice-replica"] == stub.address)
        }
    }
}
