// The property: no replica ever has more in flight than its limit, counted at the replica.

import Testing

@Suite struct `In flight` {
    @Test func `never exceeds any replica's limit, with two loops and hundreds of clients`()
        async throws
    {
        try await onStage { stage in
            let limits = [1, 2, 4]
            var stubs: [StubReplica] = []
            for _ in limits { stubs.append(try await stage.stub("--latency", "exp:10ms")) }
            let replicas = zip(stubs, limits).map { stub, limit in
                "{ address: \"\(stub.address)\", concurrency: \(limit) }"
            }
            let sluice = try await stage.sluice(
                """
                loops: 2,
                pools: { model: {
                  replicas: [\(replicas.joined(separator: ", "))],
                  health: { path: "/health" }, slowStart: "0s", queue: { limit: 5000 } } },
                routes: [{ path: "/", pool: "model" }],
                """
            )
            try await sluice.waitsForReady(3)
            let load = try stage.load(
                sluice.address,
                "--phases",
                "900:2s",
                "--arrivals",
                "poisson"
            )
            let result = try await load.result()
            #expect(result.answered == result.offered, "\(result)")
            for (stub, limit) in zip(stubs, limits) {
                // As much as is allowed, or the test has shown nothing.
                #expect(try await stub.stats().maxInFlight == limit)
            }
        }
    }
}
