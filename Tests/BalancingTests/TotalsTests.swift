import Testing

@testable import Balancing

@Suite struct `Totals of a pool` {
    private func replicas(_ count: Int) -> [Replica] {
        (0..<count).map { number in
            var replica = Replica(
                id: ReplicaID(raw: number),
                spec: ReplicaSpec(endpoint: "\(number)"),
                now: start
            )
            _ = replica.health.passed(rise: 1)
            return replica
        }
    }

    private func totals(_ replicas: [Replica], at now: Moment = start) -> Totals {
        var loads = replicas.map { _ in ReplicaLoad(identity: 0) }
        var totals = Totals()
        let options = PoolOptions(concurrency: 3)
        totals.refresh(replicas, &loads, options: options, now: now)
        return totals
    }

    @Test func `add the limits of usable replicas to the capacity`() {
        var some = replicas(3)
        _ = some[1].health.refused()
        #expect(totals(some).capacity == 6)
    }

    @Test func `add all slots that do not drain, whatever their health`() {
        var some = replicas(3)
        _ = some[1].health.refused()
        some[2].isListed = false
        #expect(totals(some).slots == 6)
    }

    @Test func `see hope in an empty pool and in one not yet judged`() {
        #expect(totals([]).outlook == .starting)
        let new = Replica(id: ReplicaID(raw: 0), spec: ReplicaSpec(endpoint: "a"), now: start)
        #expect(totals([new]).outlook == .starting)
    }

    @Test func `see none when all are down`() {
        var some = replicas(2)
        for index in some.indices { _ = some[index].health.refused() }
        #expect(totals(some).outlook == .down)
    }

    @Test func `see service in a replica that is held back`() {
        var some = replicas(1)
        some[0].heldUntil = start + .seconds(5)
        let sums = totals(some)
        #expect(sums.outlook == .serving && sums.capacity == 0)
        #expect(sums.limitsChangeAt == start + .seconds(5))
        #expect(totals(some, at: start + .seconds(5)).capacity == 3)
    }

    @Test func `ignore ejections when fewer than a quarter are fit`() {
        var some = replicas(9)
        for index in 0..<4 {
            some[index].outliers.eject(OutlierOptions(), forStall: false, now: start)
        }
        #expect(!totals(some).isPanicking)
        for index in 4..<7 { _ = some[index].health.refused() }
        #expect(totals(some).isPanicking)
        #expect(totals(some).capacity == 18)
    }

    @Test func `do not call a pool that is merely down a panic`() {
        var some = replicas(2)
        _ = some[0].health.refused()
        _ = some[1].health.refused()
        #expect(!totals(some).isPanicking)
    }
}
