import Foundation
import Simulation
import Testing

/// The whole gateway, world by world.
///
/// `make sim SEED=…` replays one.
@Suite struct `Gateway in a simulated world` {
    /// The seeds to run: one, or so many from 1 on.
    static let seeds: [UInt64] = {
        let environment = ProcessInfo.processInfo.environment
        if let one = environment["SLUICE_SIM_SEED"].flatMap(UInt64.init) { return [one] }
        let count = environment["SLUICE_SIM_SEEDS"].flatMap(UInt64.init) ?? 40
        return Array(1...max(1, count))
    }()

    @Test(arguments: seeds)
    func `keeps every promise, whatever goes wrong`(seed: UInt64) throws {
        let violations = try GatewayWorld(WorldPlan(seed: seed)).run()
        #expect(
            violations.isEmpty,
            """
            \(violations.prefix(10).joined(separator: "\n"))
            again with: make sim SEED=\(seed)
            """
        )
    }

    @Test func `replays exactly from its seed`() throws {
        for seed in Self.seeds.prefix(3) {
            let one = try GatewayWorld(WorldPlan(seed: seed))
            let other = try GatewayWorld(WorldPlan(seed: seed))
            #expect(one.run() == other.run())
            #expect(one.world.trace.count > 1_000)
            #expect(one.world.trace.hash == other.world.trace.hash, "seed \(seed)")
        }
    }

    @Test func `serves everybody when nothing goes wrong`() throws {
        var plan = WorldPlan.untroubled(seed: 1)
        plan.traffic[0].mix.requestsPerClient = 1...4
        let gateway = try GatewayWorld(plan)
        #expect(gateway.run() == [])
        #expect(gateway.journal.records.count == 100)
        #expect(
            gateway.journal.records.allSatisfy { $0.end == .answered(status: 200, reason: nil) }
        )
    }
}
