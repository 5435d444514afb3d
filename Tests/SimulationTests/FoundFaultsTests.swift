import Simulation
import Testing

/// Faults that simulated worlds have found, each in a small world of its own.
@Suite struct `Faults found by simulation` {
    /// A gateway before two replicas that fail in one way only, and clients that send POST only.
    private static func violations(
        of fault: ReplicaFault,
        framings: [AnswerFraming],
        seed: UInt64
    ) throws -> [String] {
        var plan = WorldPlan.untroubled(seed: seed)
        plan.conditions.tinySegments = 0.3
        plan.isIdempotent = false
        plan.replicas = plan.replicas.map { replica in
            var replica = replica
            replica.behaviour = ReplicaBehaviour()
            replica.behaviour.framings = framings
            replica.behaviour.faults = [(fault, 0.3)]
            return replica
        }
        plan.traffic = [(.steady(perSecond: 60), TrafficMix(), 150)]
        return try GatewayWorld(plan).run()
    }

    @Test(arguments: 1...10)
    func `a POST is not sent again once its answer has begun on a kept connection`(
        seed: UInt64
    ) throws {
        let found = try Self.violations(of: .resetAfterHead, framings: [.length], seed: seed)
        #expect(found.isEmpty, "\(found)")
    }
}
