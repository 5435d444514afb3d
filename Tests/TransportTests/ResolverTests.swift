import Testing
import Transport

@Suite struct `Name resolver` {
    private func resolve(_ name: String, _ port: UInt16) async -> Resolution {
        await withCheckedContinuation { continuation in
            systemResolver(name, port) { continuation.resume(returning: $0) }
        }
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `answers a numeric address at once`(name: String) async throws {
        let address = try #require(Address(name, port: 80))
        #expect(await resolve(name, 80) == .addresses([address]))
    }

    @Test func `finds this machine, without repetition`() async {
        guard case .addresses(let addresses) = await resolve("localhost", 7) else {
            Issue.record("localhost has no address")
            return
        }
        #expect(Set(addresses).count == addresses.count && !addresses.isEmpty)
        #expect(addresses.allSatisfy { $0.isLoopback && $0.port == 7 })
    }
}
