import Simulation
import Testing
import Transport

@Suite struct `Traffic of a world` {
    private static let target = Address(bytes: [10, 1, 0, 1], port: 5_000)

    private static func run(
        _ arrivals: Arrivals,
        requests: Int = 50,
        seed: UInt64 = 5
    ) -> (journal: Journal, world: SimulatedWorld, isOver: Bool) {
        let world = SimulatedWorld(seed: seed)
        let journal = Journal(in: world)
        _ = SimulatedReplica("r1", at: target, limit: 1_000, journal: journal)
        let traffic = Traffic(
            arrivals,
            TrafficMix(),
            to: target,
            for: .seconds(10),
            requests: requests,
            journal: journal
        )
        let isOver = world.run(within: .seconds(60)) { traffic.isOver }
        return (journal, world, isOver)
    }

    @Test(
        arguments: [
            .steady(perSecond: 100), .burst(count: 10, every: .milliseconds(20)),
            .closedLoop(clients: 4, think: .milliseconds(2)),
        ] as [Arrivals]
    )
    func `sends all its requests once and ends`(arrivals: Arrivals) {
        let (journal, world, isOver) = Self.run(arrivals)
        #expect(isOver)
        #expect(journal.records.count == 50)
        #expect(journal.records.allSatisfy { $0.end == .answered(status: 200, reason: nil) })
        #expect(world.violations == [])
    }

    @Test func `ends when its time is over`() {
        let (journal, world, isOver) = Self.run(.steady(perSecond: 2), requests: 1_000)
        #expect(isOver && journal.records.count > 5 && journal.records.count < 60)
        #expect(world.elapsed < .seconds(12))
    }

    @Test(arguments: 1...20)
    func `of every kind is understood by a replica`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let world = SimulatedWorld(seed: seed, conditions: .random(using: &generator))
        let journal = Journal(in: world)
        _ = SimulatedReplica("r1", at: Self.target, limit: 1_000, journal: journal)
        var mix = TrafficMix.random(using: &generator)
        // What only a gateway can deal with.
        mix.nonsense = 0
        mix.pipelining = 0
        mix.version10 = 0
        mix.stopping = 0
        let traffic = Traffic(
            .steady(perSecond: 200),
            mix,
            to: Self.target,
            for: .seconds(1),
            requests: 60,
            journal: journal
        )
        #expect(world.run(within: .seconds(600)) { traffic.isOver })
        #expect(world.violations == [])
    }
}
