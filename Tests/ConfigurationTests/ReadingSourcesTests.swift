// Where the replicas of a pool come from.
import Testing

@testable import Configuration

@Suite struct `A source of replicas` {
    private func source(_ text: String) throws -> Configuration.ReplicaSource {
        try load(whole(text)).checked().pools[0].source
    }

    private func whole(_ pool: String) -> String { text(pool: pool) }

    @Test func `is a list of addresses, alone or with what differs`() throws {
        let read = try source(
            "replicas: ['m:1', { address: '[::1]:2', weight: 3, concurrency: 4 }]"
        )
        let expected = [
            Configuration.Replica(address: Address(host: "m", port: 1)),
            Configuration.Replica(
                address: Address(host: "::1", port: 2),
                weight: 3,
                concurrency: 4
            ),
        ]
        #expect(read == .replicas(expected))
    }

    @Test func `is a name`() throws {
        var dns = Configuration.DNS(name: "m", port: 5000)
        #expect(try source("dns: { name: 'M', port: 5000 }") == .dns(dns))
        dns.every = .seconds(9)
        #expect(try source("dns: { name: 'm', port: 5000, every: '9s' }") == .dns(dns))
    }

    @Test func `is a command`() throws {
        let read = try source(
            """
            processes: {
              command: ["python3", "", "$PORT"], min: 2, max: 3, env: { B: "2", A: "" },
              restart: { backoff: "1s", backoffMax: "2s", resetAfter: "3s" },
              stopTimeout: "4s", drainTimeout: "5s",
              log: { lineBytes: "80B", bytesPerSecond: "2KiB", burstBytes: "3KiB" },
            }
            """
        )
        var expected = Configuration.Processes(command: ["python3", "", "$PORT"])
        expected.min = 2
        expected.max = 3
        expected.environment = [.init(name: "A", value: ""), .init(name: "B", value: "2")]
        expected.restart.backoff = .seconds(1)
        expected.restart.backoffMax = .seconds(2)
        expected.restart.resetAfter = .seconds(3)
        expected.stopTimeout = .seconds(4)
        expected.drainTimeout = .seconds(5)
        expected.log.lineBytes = 80
        expected.log.bytesPerSecond = 2 << 10
        expected.log.burstBytes = 3 << 10
        #expect(read == .processes(expected))
    }

    @Test(arguments: [("min: 3", 3, 3), ("min: 0", 0, 1), ("max: 4", 1, 4), ("", 1, 1)])
    func `scales nothing unless it is told to`(_ bounds: String, _ min: Int, _ max: Int) throws {
        guard
            case .processes(let processes) = try source(
                "processes: { command: ['x'], \(bounds) }"
            )
        else {
            Issue.record("no processes")
            return
        }
        #expect(processes.min == min)
        #expect(processes.max == max)
    }

    @Test(arguments: [
        "command: []", "command: ['']", "command: 'x y'", "command: [1]", "min: 1",
        "command: ['x'], min: 2, max: 1", "command: ['x'], max: 0",
        "command: ['x'], env: { '': 'x' }", "command: ['x'], env: { 'A=B': '' }",
        "command: ['x'], env: { PORT: '1' }",
    ])
    func `is refused when a command cannot run`(_ settings: String) {
        #expect(load(text(pool: "processes: { \(settings) }")).configuration == nil)
    }
}
