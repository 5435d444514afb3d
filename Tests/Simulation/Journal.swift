// What clients sent and got, and what replicas saw: the evidence that the invariants judge.

import Transport

/// How a request ended for its client.
package enum RequestEnd: Equatable, Sendable {
    /// A whole response; the reason is sluice's own, when it answered itself.
    case answered(status: Int, reason: String?)
    /// A head came, but its body was cut off.
    case cut(status: Int)
    /// The connection ended before a whole head.
    case unanswered
    /// The client went away first.
    case left
    /// No connection came about.
    case refused
}

/// One request as its client knows it.
package struct RequestRecord: Sendable {
    package let plan: RequestPlan
    package let sentAt: Duration
    package internal(set) var end: RequestEnd?
    package internal(set) var endedAt: Duration?
    /// Whether the answer came from a replica.
    package internal(set) var isFromReplica = false
    /// Whether an earlier request of the same connection had been answered.
    package internal(set) var isOnKeptConnection = false
    /// Whether its client sends without waiting for the answers before.
    package internal(set) var isPipelined = false
    /// When the first byte of a final head was understood.
    package internal(set) var headAt: Duration?
}

/// One arrival of a request at a replica.
package struct Delivery: Sendable {
    package enum End: Equatable, Sendable {
        case open
        /// The replica answered in full; `isFull`: it said that it has no room.
        case answered(status: Int, isFull: Bool)
        /// The replica broke off.
        case broken(hasAnswered: Bool)
        /// The gateway went away.
        case abandoned
    }

    package let replica: String
    /// The first request of its connection.
    package let isFresh: Bool
    package let at: Duration
    package internal(set) var end = End.open
}

/// The record of a world.
package final class Journal {
    unowned let world: SimulatedWorld
    package private(set) var requests: [Int: RequestRecord] = [:]
    package private(set) var deliveries: [Int: [Delivery]] = [:]
    /// Requests sent on a connection to which a second answer was already under way: nobody can
    /// tell that one from theirs.
    package private(set) var excused: Set<Int> = []
    /// Requests that have not ended.
    package private(set) var openRequests = 0
    private var nextNumber = 1

    package init(in world: SimulatedWorld) {
        self.world = world
        world.keep(self)
    }

    /// A number that no other request of the world has.
    package func takeNumber() -> Int {
        defer { nextNumber += 1 }
        return nextNumber
    }

    /// All records, in order of their numbers.
    package var records: [RequestRecord] {
        requests.keys.sorted().compactMap { requests[$0] }
    }

    func begin(_ plan: RequestPlan, isOnKeptConnection: Bool, isPipelined: Bool) {
        guard requests[plan.number] == nil else {
            return world.violate("request \(plan.number) was sent twice by its client")
        }
        var record = RequestRecord(plan: plan, sentAt: world.elapsed)
        record.isOnKeptConnection = isOnKeptConnection
        record.isPipelined = isPipelined
        world.say("request \(plan.number) is sent: \(plan.method) \(plan.manner)")
        requests[plan.number] = record
        openRequests += 1
    }

    func sawHead(_ number: Int, fromReplica: Bool) {
        requests[number]?.isFromReplica = fromReplica
        requests[number]?.headAt = world.elapsed
    }

    func end(_ number: Int, _ end: RequestEnd) {
        guard let record = requests[number] else {
            return world.violate("request \(number) ended and was never sent")
        }
        guard record.end == nil else {
            return world.violate("request \(number) ended twice: \(record.end as Any), \(end)")
        }
        world.say("request \(number) ends: \(end)")
        requests[number]?.end = end
        requests[number]?.endedAt = world.elapsed
        openRequests -= 1
    }

    /// Notes an arrival at a replica; its place in the list of that request.
    func deliver(_ number: Int, to replica: String, isFresh: Bool) -> Int {
        deliveries[number, default: []].append(
            Delivery(replica: replica, isFresh: isFresh, at: world.elapsed)
        )
        return (deliveries[number]?.count ?? 1) - 1
    }

    func excuse(_ number: Int) { excused.insert(number) }

    func endDelivery(_ number: Int, _ place: Int, _ end: Delivery.End) {
        guard deliveries[number]?[place].end == .open else { return }
        deliveries[number]?[place].end = end
    }
}
