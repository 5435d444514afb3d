import Testing

@testable import Kubernetes

@Suite struct `Figures of pools` {
    private func figures(_ gateway: String, inFlight: Int, waiting: Int = 0) -> GatewayFigures {
        let pool = PoolFigures(
            pool: "m",
            inFlight: inFlight,
            waiting: waiting,
            capacity: 8,
            replicas: 2,
            ready: 2
        )
        return GatewayFigures(gateway: gateway, pools: [pool])
    }

    @Test func `work adds up, replicas are the same ones`() throws {
        let sum = GatewayFigures.sum([
            figures("a", inFlight: 3, waiting: 1), figures("b", inFlight: 4, waiting: 2),
        ])
        let pool = try #require(sum.first)
        #expect(sum.count == 1)
        #expect(pool.outstanding == 10)
        #expect(pool.inFlight == 7 && pool.waiting == 3)
        #expect(pool.capacity == 8 && pool.replicas == 2 && pool.ready == 2)
        #expect(pool.saturation == 7.0 / 8)
    }

    @Test func `a gateway that is asked twice counts once`() {
        let sum = GatewayFigures.sum([figures("a", inFlight: 3), figures("a", inFlight: 3)])
        #expect(sum.first?.inFlight == 3)
    }

    @Test func `pools stand by name`() {
        let one = GatewayFigures(gateway: "a", pools: [PoolFigures(pool: "z")])
        let two = GatewayFigures(gateway: "b", pools: [PoolFigures(pool: "y")])
        #expect(GatewayFigures.sum([one, two]).map(\.pool) == ["y", "z"])
        #expect(GatewayFigures.sum([]) == [])
    }

    @Test(arguments: [(0, 0, 0, 0.0), (1, 0, 0, 1), (4, 0, 8, 0.5), (9, 5, 8, 1), (0, 3, 8, 0)])
    func `saturation is a share`(inFlight: Int, waiting: Int, capacity: Int, share: Double) {
        let pool = PoolFigures(
            pool: "m",
            inFlight: inFlight,
            waiting: waiting,
            capacity: capacity
        )
        #expect(pool.saturation == share)
    }

    @Test func `nonsense of others neither overflows nor takes work away`() throws {
        var pool = PoolFigures(pool: "m", inFlight: 5)
        pool.add(PoolFigures(pool: "m", inFlight: .max, waiting: .min))
        #expect(pool.inFlight == 1_000_000_005)
        #expect(pool.waiting == 0)
    }

    @Test func `are read as they were written`() throws {
        let figures = figures("a1", inFlight: 3)
        #expect(try GatewayFigures.read(figures.document) == figures)
        #expect(throws: APIFailure.self) { _ = try GatewayFigures.read([0x7b]) }
    }
}
