import Testing

@testable import Balancing

@Suite struct `The state of a replica` {
    private func up() -> Replica {
        var replica = Replica(
            id: ReplicaID(raw: 0),
            spec: ReplicaSpec(endpoint: "a"),
            now: start
        )
        _ = replica.health.passed(rise: 1)
        return replica
    }

    @Test func `is warming until a probe passes`() {
        let new = Replica(id: ReplicaID(raw: 0), spec: ReplicaSpec(endpoint: "a"), now: start)
        #expect(new.state == .warming && !new.isFit)
    }

    @Test func `is ready when nothing speaks against it`() {
        #expect(up().state == .ready)
    }

    @Test func `follows the strongest evidence`() {
        var replica = up()
        replica.isBusy = true
        #expect(replica.state == .degraded)
        replica.slowStart = SlowStart(began: start, duration: .seconds(1))
        #expect(replica.state == .warming)
        replica.outliers.eject(OutlierOptions(), forStall: false, now: start)
        #expect(replica.state == .ejected)
        _ = replica.health.refused()
        #expect(replica.state == .down)
        replica.isDrainedByOperator = true
        #expect(replica.state == .draining)
    }

    @Test func `is warming on trial`() {
        var replica = up()
        replica.outliers.eject(OutlierOptions(), forStall: false, now: start)
        replica.outliers.beginTrials()
        #expect(replica.state == .warming)
    }

    @Test func `is told when it changes, and only then`() {
        var replica = up()
        var effects = PoolEffects()
        replica.tell(.probePassed, now: start, into: &effects)
        replica.tell(.probePassed, now: start, into: &effects)
        let told = Transition(
            replica: replica.id,
            endpoint: "a",
            from: .warming,
            to: .ready,
            why: .probePassed
        )
        #expect(effects.transitions == [told])
    }

    @Test(arguments: [(nil, 4), (7, 7), (0, 1), (-3, 1), (2_000_000, 1_000_000)] as [(Int?, Int)])
    func `has its own limit or the pool's, within bounds`(own: Int?, limit: Int) {
        var replica = up()
        replica.spec.concurrency = own
        #expect(replica.fullLimit(PoolOptions(concurrency: 4)) == limit)
    }
}
