import Testing

@testable import Balancing
@testable import Gateway

@Suite struct `Pools page` {
    @Test func `is a table with why each replica is in its state`() {
        var busy = ReplicaSnapshot.sample("10.0.0.1:5000")
        busy.inFlight = 3
        busy.latency = .microseconds(4_730)
        let down = ReplicaSnapshot.sample("10.0.0.12:5000", .down, why: .connectRefused)
        #expect(
            text(.sample([.sample("sales", [busy, down])])) == """
                sluice \(sluiceVersion), running for 1 min 30 s, generation 1, 3 client connections

                sales: 3 in flight of 4, 0 waiting of 64, 1 replica wanted
                  REPLICA         STATE  FOR    IN FLIGHT  LATENCY  WHY
                  10.0.0.1:5000   ready  2.0 s  3/4        4.7 ms   a probe passed
                  10.0.0.12:5000  down   2.0 s  0/4        -        connection refused

                """
        )
    }

    @Test func `says so when a pool has no replicas`() {
        #expect(text(.sample([.sample()])).hasSuffix("\n  no replicas\n"))
    }

    @Test func `says so when there are no pools`() {
        #expect(text(.sample()).hasSuffix("\nno pools\n"))
    }

    @Test func `tells how long the first has waited`() {
        var pool = PoolStatus.sample()
        pool.gauges.waiters = 2
        pool.gauges.oldestWaiterSince = GatewayStatus.sampleTime + .seconds(-12)
        #expect(text(.sample([pool])).contains("2 waiting of 64, the first for 12 s,"))
    }

    @Test func `tells that ejections are ignored`() {
        var pool = PoolStatus.sample()
        pool.gauges.isPanicking = true
        #expect(text(.sample([pool])).contains("ejections are ignored"))
    }

    @Test func `tells why the last reload failed`() {
        var status = GatewayStatus.sample()
        status.lastReload = GatewayStatus.LastReload(outcome: .refused("bad"), wallNanoseconds: 0)
        #expect(text(status).contains("stays in force:\nbad\n"))
    }

    private func text(_ status: GatewayStatus) -> String {
        String(decoding: status.text(), as: UTF8.self)
    }
}
