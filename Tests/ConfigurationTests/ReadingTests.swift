// The settings of the whole gateway.
import Testing

@testable import Configuration

@Suite struct `The gateway's settings` {
    @Test func `are read`() throws {
        let top = """
            admin: { address: "[::1]:0", token: "t" },
            timeouts: { head: "1s", body: "2s", write: "3s", keepAlive: "4s", tunnelIdle: "5s" },
            limits: {
              connections: 6, bufferBytes: "7MiB", targetBytes: "9KiB", headBytes: "17KiB",
              fields: 18, trailerBytes: "19B", bodyBytes: "20B",
            },
            accessLog: { enabled: false, query: true, bufferBytes: "64KiB" },
            trustedProxies: ["10.0.0.0/8"],
            responseHeaders: {
              serverTiming: false, replica: false, attempts: false, reason: false,
            },
            shutdown: { drainDelay: "21s", grace: "22s" }, loops: 23, watch: true,
            """
        let configuration = try load(text(top: top)).checked()
        #expect(configuration.admin.address == Address(host: "::1", port: 0))
        #expect(configuration.admin.token == "t")
        var timeouts = Configuration.Timeouts()
        timeouts.head = .seconds(1)
        timeouts.body = .seconds(2)
        timeouts.write = .seconds(3)
        timeouts.keepAlive = .seconds(4)
        timeouts.tunnelIdle = .seconds(5)
        #expect(configuration.timeouts == timeouts)
        var limits = Configuration.Limits()
        limits.connections = 6
        limits.bufferBytes = 7 << 20
        limits.targetBytes = 9 << 10
        limits.headBytes = 17 << 10
        limits.fields = 18
        limits.trailerBytes = 19
        limits.bodyBytes = 20
        #expect(configuration.limits == limits)
        #expect(!configuration.accessLog.enabled)
        #expect(configuration.accessLog.query)
        #expect(configuration.accessLog.bufferBytes == 64 << 10)
        #expect(configuration.trustedProxies.map { $0.description } == ["10.0.0.0/8"])
        #expect(configuration.shutdown.drainDelay == .seconds(21))
        #expect(configuration.shutdown.grace == .seconds(22))
        #expect(configuration.loops == 23)
        #expect(configuration.watch)
        let headers = configuration.responseHeaders
        #expect(!headers.serverTiming && !headers.replica && !headers.attempts && !headers.reason)
    }

    @Test func `take the schema's place for editors and ignore it`() throws {
        #expect(messages(load(text(top: "$schema: './schema.json'"))) == [])
    }

    @Test(arguments: ["localhost:8080", "127.0.0.1:8080"])
    func `take localhost for 127.0.0.1`(_ address: String) throws {
        let whole = """
            {
              listeners: [{ address: "\(address)" }],
              pools: { a: { replicas: [] } }, routes: [{ pool: "a" }],
            }
            """
        let listener = try load(whole).checked().listeners[0]
        #expect(listener.address == Address(host: "127.0.0.1", port: 8080))
    }
}
