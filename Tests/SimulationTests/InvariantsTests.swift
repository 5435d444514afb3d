import Simulation
import Testing
import Transport

/// The checks must be able to fail: each is shown what it is there to find.
@Suite struct `Invariants of a world` {
    private static let target = Address(bytes: [10, 0, 0, 1], port: 8_080)

    /// A world in which a deceitful actor answers every request with `answer`.
    private static func violations(
        answering answer: String,
        _ change: (inout RequestPlan) -> Void = { _ in }
    ) -> [String] {
        let world = SimulatedWorld(seed: 3)
        let journal = Journal(in: world)
        world.listen(at: target) { peer in
            peer.changed = { peer in
                if !peer.read().isEmpty { peer.write(Array(answer.utf8)) }
                if peer.atEnd { peer.close() }
            }
        }
        var plan = RequestPlan(number: journal.takeNumber())
        change(&plan)
        let client = SimulatedClient(
            [plan],
            from: Address(bytes: [10, 9, 0, 1], port: 0),
            to: target,
            journal: journal
        )
        _ = world.run(within: .seconds(60)) { client.isFinished }
        Invariants(of: journal).judge(answersAreExpected: true)
        return world.violations
    }

    @Test func `find nothing in a sincere refusal`() {
        let answer = "HTTP/1.1 503 No\r\nX-Sluice-Reason: no_replicas\r\nContent-Length: 0\r\n\r\n"
        #expect(Self.violations(answering: answer) == [])
    }

    @Test(arguments: [
        "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 No\r\nX-Sluice-Reason: bad_mood\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Sluice-Reason: ok\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Sim-Number: 1\r\nContent-Length: 0\r\n\r\n",
    ])
    func `find an answer that nobody is responsible for`(answer: String) {
        #expect(Self.violations(answering: answer).count == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nX-Sim-Number: 7\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX-Sim-Number: 1\r\nContent-Length: 3\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nX-Sim-Number: 1\r\nX-Sim-Length: 9\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 503 No\r\nX-Sluice-Reason: no_replicas\r\nContent-Length: 0\r\n\r\nxyz",
    ])
    func `find bytes that are not the request's own`(answer: String) {
        #expect(!Self.violations(answering: answer).isEmpty)
    }

    @Test func `find nonsense that was accepted`() {
        let answer = "HTTP/1.1 200 OK\r\nX-Sluice-Reason: ok\r\nContent-Length: 0\r\n\r\n"
        let found = Self.violations(answering: answer) { $0.manner = .sendsNonsense(0) }
        #expect(found.contains { $0.contains("nonsense") })
    }

    @Test func `find a request that never ends`() {
        let found = Self.violations(answering: "HTTP/1.1 200 OK\r\nContent-")
        #expect(found.count == 1)
    }

    @Test(arguments: [
        PoolCounts.make(inFlight: 2, arrived: 2),
        PoolCounts.make(waiting: 9, arrived: 9),
        PoolCounts.make(arrived: 1),
        PoolCounts.make(inFlight: -1, arrived: -1),
    ])
    func `find counts that cannot be true`(counts: PoolCounts) {
        let world = SimulatedWorld(seed: 1)
        let invariants = Invariants(of: Journal(in: world))
        invariants.watch("sales") { counts }
        world.after(.seconds(1)) {}
        _ = world.run(within: .seconds(2))
        #expect(world.violations.count == 1)
    }
}

extension PoolCounts {
    static func make(inFlight: Int = 0, waiting: Int = 0, arrived: Int) -> PoolCounts {
        var counts = PoolCounts()
        counts.inFlight = inFlight
        counts.waiting = waiting
        counts.arrived = arrived
        counts.inFlightLimit = 1
        counts.queueLimit = 8
        return counts
    }
}
