import Configuration
import Testing

@testable import sluice

@Suite struct `Run` {
    @Test func `starts three to ten processes of the command`() throws {
        let configuration = try configuration(["--", "serve.py", "--fast"])
        #expect(try processes(configuration).command == ["serve.py", "--fast"])
        #expect(try processes(configuration).min == 3 && processes(configuration).max == 10)
    }

    @Test func `sends every path to them, one request at a time`() throws {
        let configuration = try configuration(["--", "a"])
        #expect(configuration.routes.map(\.path) == [.prefix("/")])
        #expect(configuration.pools.first?.settings.concurrency == 1)
        #expect(configuration.pools.first?.settings.health.path == nil)
    }

    @Test func `takes every option`() throws {
        let configuration = try configuration([
            "--replicas", "20", "--concurrency", "4", "--health", "/health", "--host", "::1",
            "--port", "1", "--admin", "0.0.0.0:2", "--token", "t", "--", "a",
        ])
        #expect(try processes(configuration).min == 20 && processes(configuration).max == 20)
        #expect(configuration.pools.first?.settings.concurrency == 4)
        #expect(configuration.pools.first?.settings.health.path == "/health")
        #expect(configuration.listeners.first?.address == Address(host: "::1", port: 1))
        #expect(configuration.admin.address == Address(host: "0.0.0.0", port: 2))
        #expect(configuration.admin.token == "t")
    }

    @Test(arguments: [
        ["--replicas", "-1"], ["--replicas", "5", "--max", "4"], ["--port", "65536"],
        ["--concurrency", "0"], ["--health", "health"], ["--health", "/a b"],
        ["--host", "here"], ["--host", "10.0.0.0/8"], ["--admin", "9900"],
        ["--admin", "0.0.0.0:9900", "--token", ""],
    ])
    func `refuses what cannot be`(options: [String]) {
        #expect(throws: UsageError.self) { try configuration(options + ["--", "a"]) }
    }

    private func configuration(_ words: [String]) throws -> Configuration {
        try runConfiguration(Arguments(words, for: runCommand))
    }

    private func processes(_ configuration: Configuration) throws -> Configuration.Processes {
        guard case .processes(let processes) = configuration.pools.first?.source else {
            throw UsageError(text: "no processes")
        }
        return processes
    }
}
