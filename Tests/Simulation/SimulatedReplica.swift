// A small honest model server in the world, which can be told to misbehave.

import Transport

/// One replica: it listens, counts what it works on, and answers with the body its request asks
/// for.
package final class SimulatedReplica {
    package let name: String
    package let address: Address
    package var behaviour: ReplicaBehaviour
    unowned let world: SimulatedWorld
    let journal: Journal
    var chance: SeededGenerator
    /// Requests that may be in flight here at once; more is a violation.
    package var limit: Int
    /// Most requests that were ever in flight at once.
    package private(set) var inFlightMost = 0
    /// Requests whose heads have arrived here.
    package private(set) var requestsSeen = 0
    package private(set) var probesSeen = 0
    /// Answers `/health` with 503 while false.
    package var isHealthy = true
    private var connections: [Int32: ReplicaConnection] = [:]

    package init(
        _ name: String,
        at address: Address,
        limit: Int,
        behaviour: ReplicaBehaviour = ReplicaBehaviour(),
        journal: Journal
    ) {
        self.name = name
        self.address = address
        self.limit = limit
        self.behaviour = behaviour
        self.journal = journal
        world = journal.world
        chance = journal.world.chance.split()
        world.keep(self)
        start()
    }

    /// Requests in flight whose sender still waits; what the gateway has given up does not count.
    package var inFlight: Int {
        connections.values.count { $0.isWorking && $0.peer.farSideIsOpen }
    }

    package var openConnections: Int { connections.count }

    /// Listens, again if it had stopped.
    package func start() {
        guard !world.isListening(at: address) else { return }
        world.listen(at: address) { [unowned self] peer in
            connections[peer.number] = ReplicaConnection(peer, of: self)
        }
    }

    /// Refuses connections from now on; those that stand go on.
    package func refuse() { world.stopListening(at: address) }

    /// Dies: refuses connections and resets those that stand.
    package func crash() {
        refuse()
        for number in connections.keys.sorted() { connections[number]?.breakOff(resets: true) }
    }

    func forget(_ connection: ReplicaConnection) { connections[connection.peer.number] = nil }

    func beginProbe() { probesSeen += 1 }

    /// Counts a request that has arrived, while it already counts as working.
    func begin(_ number: Int, isFresh: Bool) -> Int {
        requestsSeen += 1
        let count = inFlight
        inFlightMost = max(inFlightMost, count)
        if count > limit {
            world.violate("\(name) has \(count) requests in flight, the limit is \(limit)")
        }
        return journal.deliver(number, to: name, isFresh: isFresh)
    }
}
