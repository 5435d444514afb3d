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
        let parts: [(inout PoolEffects) -> Void] = [
            { $0.grants = [Grant(waiter: waiter, ticket: ticket)] },
            { $0.sheds = [ShedWaiter(waiter: waiter, shed: Shed(.stopping))] },
            { $0.probeSoon = [id] },
            { $0.closeIdle = [id] },
            { $0.removed = [id] },
            { $0.transitions = [change] },
        ]
        for part in parts {
            var effects = PoolEffects()
            part(&effects)
            #expect(!effects.isEmpty)
        }
    }

    @Test func `name causes in one spelling, each its own`() {
        let names = TransitionCause.allCases.map(\.rawValue)
        #expect(names.allSatisfy { $0.allSatisfy { $0.isLowercase || $0 == "_" } })
    }
}
