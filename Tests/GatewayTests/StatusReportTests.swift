import Foundation
import Testing

@testable import Balancing
@testable import Gateway

@Suite struct `Status report` {
    @Test func `is one JSON object on one line`() throws {
        let page = GatewayStatus.sample([.sample("sales", [.sample()])]).json()
        #expect(page.count(where: { $0 == 0x0a }) == 1 && page.last == 0x0a)
        #expect(try report([.sample("sales", [.sample()])])["phase"] as? String == "running")
    }

    @Test func `has every pool and replica`() throws {
        let pools = [PoolStatus.sample("a", [.sample("x"), .sample("y", .down)]), .sample("b")]
        let told = try #require(try report(pools)["pools"] as? [[String: Any]])
        #expect(told.map { $0["name"] as? String } == ["a", "b"])
        let replicas = try #require(told[0]["replicas"] as? [[String: Any]])
        #expect(replicas.map { $0["endpoint"] as? String } == ["x", "y"])
        #expect(replicas.map { $0["state"] as? String } == ["ready", "down"])
    }

    @Test func `tells how long the first has waited`() throws {
        var pool = PoolStatus.sample()
        pool.gauges.waiters = 1
        pool.gauges.oldestWaiterSince = GatewayStatus.sampleTime + .milliseconds(-1500)
        let told = try #require(try report([pool])["pools"] as? [[String: Any]])
        let queue = try #require(told[0]["queue"] as? [String: Any])
        #expect(queue["oldestSeconds"] as? Double == 1.5)
    }

    @Test func `knows of no reload when there was none`() throws {
        let reload = try #require(try report([])["reload"] as? [String: Any])
        #expect(reload["at"] is NSNull && reload["succeeded"] as? Bool == true)
    }

    @Test func `tells the problems of the last reload`() throws {
        var status = GatewayStatus.sample()
        status.lastReload = GatewayStatus.LastReload(
            outcome: .refused("x.json5:1:1: error: no"),
            wallNanoseconds: 0
        )
        let reload = try #require(try read(status)["reload"] as? [String: Any])
        #expect(reload["error"] as? String == "x.json5:1:1: error: no")
        #expect(reload["succeeded"] as? Bool == false)
        #expect(reload["at"] as? String == "1970-01-01T00:00:00.000Z")
    }

    private func report(_ pools: [PoolStatus]) throws -> [String: Any] {
        try read(.sample(pools))
    }

    private func read(_ status: GatewayStatus) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(status.json()))
        return try #require(object as? [String: Any])
    }
}
