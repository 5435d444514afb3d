import Simulation
import Testing
import Transport

@Suite struct `Simulated replica` {
    /// One replica, and clients that talk to it without anything between.
    private struct Scene {
        static let address = Address(bytes: [10, 1, 0, 1], port: 5_000)
        let world: SimulatedWorld
        let journal: Journal
        let replica: SimulatedReplica
        var clients: [SimulatedClient] = []

        init(
            seed: UInt64 = 1,
            limit: Int = 100,
            _ change: (inout ReplicaBehaviour) -> Void = { _ in }
        ) {
            var generator = SeededGenerator(seed: seed)
            world = SimulatedWorld(
                seed: seed,
                conditions: seed == 1 ? .kind : .random(using: &generator)
            )
            journal = Journal(in: world)
            var behaviour = ReplicaBehaviour()
            change(&behaviour)
            replica = SimulatedReplica(
                "r1",
                at: Self.address,
                limit: limit,
                behaviour: behaviour,
                journal: journal
            )
        }

        mutating func send(
            _ count: Int = 1,
            pipelines: Bool = false,
            _ change: (inout RequestPlan) -> Void = { _ in }
        ) {
            let plans = (0..<count).map { _ in
                var plan = RequestPlan(number: journal.takeNumber())
                plan.bodyBytes = 500
                plan.answerBytes = 3_000
                change(&plan)
                return plan
            }
            clients.append(
                SimulatedClient(
                    plans,
                    from: Address(bytes: [10, 9, 0, 1], port: 0),
                    to: Self.address,
                    pipelines: pipelines,
                    journal: journal
                )
            )
        }

        /// The ends of all requests, in order.
        func ends() -> [RequestEnd?] {
            _ = world.run(within: .seconds(600)) { clients.allSatisfy(\.isFinished) }
            return journal.records.map(\.end)
        }
    }

    private static let answered = RequestEnd.answered(status: 200, reason: nil)

    @Test(arguments: AnswerFraming.allCases)
    func `answers with the body that was asked for`(framing: AnswerFraming) {
        var scene = Scene { $0.framings = [framing] }
        scene.send(5)
        #expect(scene.ends() == Array(repeating: Self.answered, count: 5))
        #expect(scene.world.violations == [])
    }

    @Test(arguments: 2...15)
    func `and its clients survive any network`(seed: UInt64) {
        var scene = Scene(seed: seed) {
            $0.framings = AnswerFraming.allCases
            $0.interim = 0.3
            $0.service = .tokens(1...5, every: .milliseconds(3))
        }
        scene.send(3) { $0.isChunked = true }
        scene.send(3) {
            $0.bodyBytes = 200_000
            $0.answerBytes = 200_000
        }
        scene.send(2) { $0.manner = .sendsSlowly(pieces: 4, pause: .milliseconds(10)) }
        scene.send(2) { $0.manner = .readsSlowly(bytes: 300, pause: .milliseconds(2)) }
        scene.send(2) { $0.expectsContinue = true }
        #expect(scene.ends().allSatisfy { $0 == Self.answered })
        #expect(scene.world.violations == [])
    }

    @Test(
        arguments: [
            (.resetBeforeHead, .unanswered),
            (.resetAfterHead, .cut(status: 200)),
            (.closesBeforeHead, .unanswered),
            (.shortBody, .cut(status: 200)),
            (.full, .answered(status: 503, reason: nil)),
            (.error, .answered(status: 500, reason: nil)),
            (.drip, .answered(status: 200, reason: nil)),
            (.closesAfterAnswer, .answered(status: 200, reason: nil)),
        ] as [(ReplicaFault, RequestEnd)]
    )
    func `fails as told`(fault: ReplicaFault, end: RequestEnd) {
        var scene = Scene { $0.faults = [(fault, 1)] }
        scene.send()
        #expect(scene.ends() == [end])
        #expect(scene.world.violations == [])
    }

    @Test(arguments: [.stall, .stallInBody] as [ReplicaFault])
    func `stalls as told`(fault: ReplicaFault) {
        var scene = Scene { $0.faults = [(fault, 1)] }
        scene.send()
        #expect(scene.ends() == [nil])
        #expect(scene.replica.inFlight == 1)
    }

    @Test(arguments: [.garbage, .longBody, .answersTwice] as [ReplicaFault])
    func `says what a client must notice`(fault: ReplicaFault) {
        var scene = Scene { $0.faults = [(fault, 1)] }
        scene.send()
        _ = scene.ends()
        #expect(scene.world.violations.count == 1)
    }

    @Test func `counts what is in flight, and finds too much of it`() {
        var scene = Scene(limit: 2)
        for _ in 0..<3 { scene.send() }
        #expect(scene.ends().allSatisfy { $0 == Self.answered })
        #expect(scene.replica.inFlightMost == 3)
        #expect(scene.world.violations.count == 1)
    }

    @Test func `finds requests that are pipelined to it`() {
        var scene = Scene()
        scene.send(2, pipelines: true)
        _ = scene.ends()
        #expect(scene.world.violations.count == 1)
    }

    @Test func `refuses connections after a crash, until it starts again`() {
        var scene = Scene()
        scene.replica.crash()
        scene.send()
        #expect(scene.ends() == [.refused])
        scene.replica.start()
        scene.send()
        #expect(scene.ends() == [.refused, Self.answered])
    }

    @Test func `closes what was idle too long`() {
        var scene = Scene { $0.idleTimeout = .seconds(2) }
        scene.send(2)
        scene.clients = []
        _ = scene.world.run(within: .seconds(1))
        #expect(scene.replica.openConnections == 0)
    }

    @Test func `serves times of every distribution`() {
        for service in [
            .constant(.milliseconds(1)), .exponential(mean: .milliseconds(1)),
            .heavyTail(least: .milliseconds(1)), .tokens(1...4, every: .milliseconds(1)),
        ] as [ServiceTime] {
            var scene = Scene { $0.service = service }
            scene.send(4)
            #expect(scene.ends().allSatisfy { $0 == Self.answered })
            #expect(scene.world.elapsed < .seconds(2))
        }
    }
}
