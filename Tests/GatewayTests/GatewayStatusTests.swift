import Testing
import Transport

@testable import Balancing
@testable import Gateway

@Suite struct `Gateway status` {
    @Test func `tells when something happened on the wall clock`() {
        let status = GatewayStatus.sample()
        let instant = status.now + .milliseconds(-1500)
        #expect(status.wallTime(of: instant) == "2027-01-15T07:59:58.500Z")
    }

    @Test func `says that what another loop has just done was now`() {
        let status = GatewayStatus.sample()
        #expect(status.time(since: status.now + .milliseconds(1)) == .zero)
    }

    @Test func `counts down only to what is to come`() {
        let status = GatewayStatus.sample()
        #expect(status.time(until: status.now + .seconds(3)) == .seconds(3))
        #expect(status.time(until: status.now) == nil)
        #expect(status.time(until: nil) == nil)
    }

    @Test func `counts replicas by state`() {
        let pool = PoolStatus.sample(
            "p",
            [.sample("a", .ready), .sample("b", .down), .sample("c", .down)]
        )
        #expect(pool.count(.down) == 2 && pool.count(.ejected) == 0)
    }

    @Test func `is read from a gateway that runs`() throws {
        try withAdminStage({ $0.addPool("empty", path: "/") }) { stage in
            let status = stage.gateway.status(now: .now, wallNanoseconds: 0)
            #expect(status.phase == "running" && status.generation == 1)
            #expect(status.listeners == ["\(stage.bound.listeners[0])"])
            #expect(status.pools.map(\.name) == ["empty"])
            #expect(status.pools.first?.desired == 1)
        }
    }
}
