import Testing

@testable import Balancing
@testable import Gateway

@Suite struct `Words about a replica` {
    @Test func `a replica in service is told by its cause alone`() {
        #expect(GatewayStatus.sample().why(.sample()) == "a probe passed")
    }

    @Test func `one that is down tells its last probe`() {
        var replica = ReplicaSnapshot.sample("a", .down, why: .probeFailed)
        replica.lastProbe = .failed(status: 503)
        replica.lastProbeAt = GatewayStatus.sampleTime + .milliseconds(-400)
        let words = GatewayStatus.sample().why(replica)
        #expect(words == "probes failed; probe 0.4 s ago: status 503")
    }

    @Test func `an ejected one tells when it comes back`() {
        var replica = ReplicaSnapshot.sample("a", .ejected, why: .outlier)
        replica.ejections = 2
        replica.ejectedUntil = GatewayStatus.sampleTime + .seconds(20)
        let words = GatewayStatus.sample().why(replica)
        #expect(words == "too many failures in a row; ejected 2 times; back in 20 s")
    }

    @Test func `a warming one tells how much it takes`() {
        var replica = ReplicaSnapshot.sample("a", .warming)
        replica.limitNow = 1
        #expect(GatewayStatus.sample().why(replica) == "a probe passed; takes 1 of 4")
    }

    @Test func `a full one tells for how long it takes nothing`() {
        var replica = ReplicaSnapshot.sample("a", .degraded, why: .full)
        replica.heldUntil = GatewayStatus.sampleTime + .seconds(3)
        let words = GatewayStatus.sample().why(replica)
        #expect(words == "it said that it is full; no new work for 3.0 s")
    }

    @Test(arguments: [(0, "idle"), (2, "2 still in flight")])
    func `a draining one tells what it still does`(inFlight: Int, words: String) {
        var replica = ReplicaSnapshot.sample("a", .draining, why: .drained)
        replica.inFlight = inFlight
        #expect(GatewayStatus.sample().why(replica) == "drained by an operator; \(words)")
    }

    @Test(arguments: [(1, "its last request failed"), (3, "3 failures in a row")])
    func `failures in traffic are told`(count: Int, words: String) {
        var replica = ReplicaSnapshot.sample()
        replica.consecutiveFailures = count
        #expect(GatewayStatus.sample().why(replica) == "a probe passed; \(words)")
    }

    @Test func `each cause has words of its own`() {
        let words = TransitionCause.allCases.map(\.words)
        #expect(Set(words).count == words.count && !words.contains(""))
    }

    @Test(arguments: [
        (Duration.zero, "0.0 s"), (.milliseconds(440), "0.4 s"), (.seconds(12), "12 s"),
        (.seconds(200), "3 min 20 s"), (.seconds(18_600), "5 h 10 min"),
        (.seconds(1_047_600), "12 d 3 h"), (.seconds(-1), "0.0 s"),
    ])
    func `durations are told in two units at most`(duration: Duration, words: String) {
        #expect(duration.inWords == words)
    }

    @Test(arguments: [
        (Duration.microseconds(4_730), "4.7 ms"), (.milliseconds(2500), "2.5 s"),
    ])
    func `a story tells short times in milliseconds`(duration: Duration, words: String) {
        #expect(duration.told == words)
    }
}
