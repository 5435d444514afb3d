import Testing

@testable import Balancing

@Suite struct `Pool effects` {
    @Test func `are empty to begin with`() {
        #expect(PoolEffects().isEmpty)
    }

    @Test func `are not empty with any one part`() {
        let id = ReplicaID(raw: 0)
        let ticket = LeaseTicket(replica: id, startedAt: start)
        let waiter = WaiterID(raw: 0)
        let change = Transition(replica: id, endpoint: "a", from: .warming, to: .down, why: .busy)
        let parts: [PoolEffects.Effect] = [
            .grant(Grant(waiter: waiter, ticket: ticket)),
            .shed(ShedWaiter(waiter: waiter, shed: Shed(.stopping))),
            .probeSoon(id),
            .closeIdle(id),
            .removed(id),
            .transition(change),
        ]
        for part in parts {
            var effects = PoolEffects()
            effects.add(part)
            #expect(!effects.isEmpty)
        }
    }

    @Test func `are told by kind, each in the order it came`() {
        let ids = (0..<3).map { ReplicaID(raw: $0) }
        var effects = PoolEffects()
        for id in ids {
            effects.add(.probeSoon(id))
            effects.add(.closeIdle(id))
        }
        effects.add(.removed(ids[1]))
        #expect(effects.probeSoon == ids && effects.closeIdle == ids)
        #expect(effects.removed == [ids[1]])
        #expect(effects.grants.isEmpty && effects.sheds.isEmpty && effects.transitions.isEmpty)
    }

    @Test func `name causes in one spelling, each its own`() {
        let names = TransitionCause.allCases.map(\.rawValue)
        #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
    }
}
