// The choice of ports.
import Testing

@testable import Processes

@Suite struct `Ports of processes` {
    @Test func `are never given twice before they come back`() throws {
        let ports = Ports()
        let taken = try (0..<50).map { _ in try ports.take(seed: 4_711) }
        #expect(Set(taken).count == 50)
        ports.release(taken[0])
        #expect(try ports.take(seed: 4_711) == taken[0])
    }

    @Test(arguments: [0, 1, 12_345, UInt64.max])
    func `are outside those of outgoing connections, where the system has such`(
        seed: UInt64
    ) throws {
        let end = try #require(System.ephemeralPortMin())
        let port = try Ports().take(seed: seed)
        #expect(port < end || end <= Ports.portMin)
        #expect((1...65_535).contains(port))
    }

    @Test func `somebody listens on are not given`() throws {
        let ports = Ports()
        let port = try ports.take(seed: 99)
        let listener = try Listener(port: port)
        #expect(!System.isFree(port: port))
        ports.release(port)
        #expect(try ports.take(seed: 99) != port)
        listener.close()
    }
}
