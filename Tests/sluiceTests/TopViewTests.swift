import Testing

@testable import sluice

@Suite struct `Top view` {
    @Test func `shows pools and their replicas`() {
        #expect(
            TopView(status: sample()).lines(columns: 200, rows: 50) == [
                "sluice 1.2.3  running  up 1 h 1 min 1 s  generation 2  connections 5",
                "",
                "sales  █████····· 2/4 in flight  3/64 waiting (1.5 s)  -/s  1/2 up  4 wanted",
                "  10.0.0.1:5000   ready     2/4      12.5 ms     a probe passed",
                "  10.0.0.12:5000  down      0/4      -           connection refused",
            ]
        )
    }

    @Test func `tells the rate since the screen before`() {
        var before = sample()
        before.uptimeSeconds -= 2
        before.pools[0].ended -= 25
        let lines = TopView(status: sample(), previous: before).lines(columns: 200, rows: 50)
        #expect(lines[2].contains("  12.5/s  "))
    }

    @Test func `tells no rate across a restart`() {
        var before = sample()
        before.uptimeSeconds += 100
        before.pools[0].ended += 100
        let lines = TopView(status: sample(), previous: before).lines(columns: 200, rows: 50)
        #expect(lines[2].contains("  -/s  "))
    }

    @Test func `tells that the last reload failed`() {
        var status = sample()
        status.reload.succeeded = false
        let lines = TopView(status: status).lines(columns: 200, rows: 50)
        #expect(lines[1] == "the last reload failed: `sluice status` tells why")
    }

    @Test(arguments: [1, 2, 3, 10])
    func `fits the screen`(size: Int) {
        let lines = TopView(status: sample()).lines(columns: size, rows: size)
        #expect(lines.count <= size && lines.allSatisfy { $0.count <= size })
    }

    private func sample() -> Status {
        let replicas = [
            Status.Replica(
                endpoint: "10.0.0.1:5000",
                state: "ready",
                why: "a probe passed",
                inFlight: 2,
                concurrency: 4,
                latencySeconds: 0.0125
            ),
            Status.Replica(
                endpoint: "10.0.0.12:5000",
                state: "down",
                why: "connection refused",
                inFlight: 0,
                concurrency: 4,
                latencySeconds: nil
            ),
        ]
        return Status(
            version: "1.2.3",
            phase: "running",
            generation: 2,
            uptimeSeconds: 3661,
            connections: Status.Connections(open: 5, limit: 100),
            reload: Status.LastReload(succeeded: true),
            pools: [
                Status.Pool(
                    name: "sales",
                    capacity: 4,
                    inFlight: 2,
                    ended: 1000,
                    desiredReplicas: 4,
                    queue: Status.Queue(waiters: 3, limit: 64, oldestSeconds: 1.5),
                    replicas: replicas
                )
            ]
        )
    }
}
