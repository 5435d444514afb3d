// The gateway as a pod sees Kubernetes: its API on real TLS sockets, credentials from files.

import Certificates
import Foundation
import Testing

@Suite struct `Replicas from EndpointSlices` {
    /// A gateway whose pool follows the Service `model`.
    private func sluice(_ stage: Stage, _ api: KubernetesAPI) async throws -> Sluice {
        try await stage.sluice(
            """
            pools: { model: {
              kubernetes: { service: "model", namespace: "models", port: "http" },
              health: { path: "/health" }, slowStart: "0s" } },
            routes: [{ path: "/", pool: "model" }],
            """,
            settings: api.setting + #"shutdown: { drainDelay: "0s", grace: "5s" },"#,
            environment: api.environment
        )
    }

    /// A request that its replica holds, once it has got there.
    private func held(_ sluice: Sluice, _ replicas: [StubReplica]) async throws -> RawConnection {
        func inFlight() async throws -> Int {
            var sum = 0
            for replica in replicas { sum += try await replica.stats().inFlight }
            return sum
        }
        let before = try await inFlight()
        let connection = try RawConnection(to: sluice.address)
        connection.send("GET /?hold=true HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        try await eventually("a request at a replica") { try await inFlight() == before + 1 }
        return connection
    }

    @Test func `come, and leave when their requests are finished`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            let stubs = [
                try await stage.stub(), try await stage.stub(), try await stage.stub(),
            ]
            try await api.putSlice("one", stubs[0])
            try await api.putSlice("two", stubs[1])
            let sluice = try await sluice(stage, api)
            try await sluice.waitsForReady(2)
            let early = [try await held(sluice, stubs), try await held(sluice, stubs)]
            #expect(try await stubs[0].stats().inFlight == 1)
            #expect(try await stubs[1].stats().inFlight == 1)
            try await api.putSlice("three", stubs[2])
            try await sluice.waitsForReady(3)
            #expect(try await ask(sluice.address).status == 200)
            #expect(try await stubs[2].stats().served == 1)

            try await api.putSlice("one", stubs[0], ending: true)
            try await eventually("a replica that drains") {
                try await sluice.status().pools[0].replicas.contains {
                    $0.endpoint == stubs[0].address && $0.state == "draining" && $0.inFlight == 1
                }
            }
            for stub in stubs { try await stub.release() }
            for connection in early { try await connection.wait(for: "HTTP/1.1 200 ") }
            try await eventually("two replicas") {
                try await sluice.status().pools[0].replicas.map(\.endpoint).sorted()
                    == [stubs[1].address, stubs[2].address].sorted()
            }
            for _ in 0..<10 { #expect(try await ask(sluice.address).status == 200) }
            #expect(try await stubs[0].stats().served == 1)
            let targets = try await api.seen().map(\.target)
            #expect(targets.allSatisfy { $0.hasPrefix("\(KubernetesAPI.slices)?labelSelector=") })
        }
    }

    @Test func `are followed with the token of the moment`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            let stubs = [try await stage.stub(), try await stage.stub()]
            try await api.putSlice("one", stubs[0])
            let sluice = try await sluice(stage, api)
            try await sluice.waitsForReady(1)
            // Replaced in time: nobody notices.
            try await api.take(tokens: ["first", "second"])
            try api.rotateToken(to: "second")
            try await api.endWatches()
            try await eventually("a request with the new token") {
                try await api.seen().contains { $0.token == "second" && $0.status == 200 }
            }
            #expect(!sluice.log.contains("401"))
            // Too late: what was known last stays in force until it is.
            try await api.take(tokens: ["third"])
            try await api.endWatches()
            try await sluice.waits(for: "401: the token is not accepted (Unauthorized)")
            #expect(sluice.log.contains("what was known last stays in force"))
            #expect(try await ask(sluice.address).status == 200)
            try await api.putSlice("two", stubs[1])
            try api.rotateToken(to: "third")
            try await sluice.waitsForReady(2)
            #expect(sluice.log.contains("the API answers again"))
            #expect(try await api.seen().contains { $0.token == "second" && $0.status == 401 })
        }
    }

    @Test func `serve on while the API is away, and come from it again`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            let stubs = [try await stage.stub(), try await stage.stub()]
            try await api.putSlice("one", stubs[0])
            let sluice = try await sluice(stage, api)
            try await sluice.waitsForReady(1)
            api.child.end()
            try await sluice.waits(for: "what was known last stays in force")
            #expect(try await sluice.metric("sluice_kubernetes_watches", "failing") == 1)
            for _ in 0..<10 { #expect(try await ask(sluice.address).status == 200) }
            #expect(try await ask(sluice.admin, "GET", "/ready").status == 200)

            try await api.startAgain()
            try await api.putSlice("two", stubs[1])
            try await eventually("the other replica alone", within: .seconds(20)) {
                try await sluice.status().pools[0].replicas.map(\.endpoint) == [stubs[1].address]
            }
            try await sluice.waitsForReady(1)
            #expect(try await ask(sluice.address).status == 200)
            #expect(try await stubs[1].stats().served == 1)
            api.child.end()
            sluice.child.send(SIGTERM)
            #expect(try await sluice.child.exitCode() == 0)
        }
    }

    @Test func `tell which permission is missing`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            let stub = try await stage.stub()
            try await api.putSlice("one", stub)
            try await api.forbid("list endpointslices")
            let sluice = try await sluice(stage, api)
            try await sluice.waits(
                for: "cannot list endpointslices.discovery.k8s.io in namespace models: 403: the "
                    + "service account lacks the verb `list` on endpointslices.discovery.k8s.io; "
                    + "a Role must grant it (endpointslices is forbidden: User "
                    + "\"system:serviceaccount:sluice:sluice\" cannot list resource "
                    + "\"endpointslices\" in API group \"discovery.k8s.io\")"
            )
            try await api.forbid("watch endpointslices")
            try await sluice.waitsForReady(1)
            try await sluice.waits(for: "the service account lacks the verb `watch`")
            #expect(try await ask(sluice.address).status == 200)
        }
    }

    @Test func `are not taken from whoever else listens there`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            let other = try TestAuthority("Other")
            let sluice = try await stage.sluice(
                """
                pools: { model: {
                  kubernetes: { service: "model", namespace: "models", port: "http" } } },
                routes: [{ path: "/", pool: "model" }],
                """,
                settings: "kubernetes: { caFile: \"\(other.certificate)\" },",
                environment: api.environment
            )
            try await sluice.waits(for: "TLS with 127.0.0.1: the peer's certificate: ")
            #expect(try await api.seen().isEmpty)
        }
    }
}
