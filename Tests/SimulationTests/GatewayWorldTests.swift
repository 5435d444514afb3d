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
        var plan = WorldPlan(seed: 1)
        plan.replicas = plan.replicas.map { replica in
            var replica = replica
            replica.behaviour.faults = []
            return replica
        }
        plan.conditions = .kind
        plan.events = []
        plan.stopAt = nil
        plan.connectionsMax = 10_000
        plan.queueLimit = 5_000
        plan.troubles = []
        var mix = TrafficMix()
        mix.requestsPerClient = 1...4
        plan.traffic = [(.steady(perSecond: 30), mix, 100)]
        let gateway = try GatewayWorld(plan)
        #expect(gateway.run() == [])
        #expect(gateway.journal.records.count == 100)
        #expect(
            gateway.journal.records.allSatisfy { $0.end == .answered(status: 200, reason: nil) }
        )
    }
}
