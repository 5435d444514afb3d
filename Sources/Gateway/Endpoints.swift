// Where the replicas of one pool listen, found by id with every lease.

internal import Balancing

/// The endpoints of a pool, in the order of their ids.
///
/// Ids count up and few replicas leave, so that a look at one place mostly finds what a hash table
/// would find by a hash. The pool's lock guards it.
struct Endpoints {
    /// Ascending by id.
    private(set) var all: [Endpoint] = []

    /// The endpoint of a replica; nil when it is gone.
    ///
    /// O(log replicas), and at once where none before it has gone.
    subscript(id: ReplicaID) -> Endpoint? {
        let index = place(of: id)
        return index < all.count && all[index].id.raw == id.raw ? all[index] : nil
    }

    /// The endpoint of a replica that holds a lease, and so is not gone.
    func leased(_ ticket: LeaseTicket) -> Endpoint {
        guard let endpoint = self[ticket.replica] else {
            preconditionFailure("a lease of an unknown replica: \(ticket.replica.raw)")
        }
        return endpoint
    }

    /// Adds the endpoint of a replica, or replaces the one it had.
    mutating func set(_ endpoint: Endpoint) {
        let index = place(of: endpoint.id)
        if index < all.count, all[index].id.raw == endpoint.id.raw {
            all[index] = endpoint
        } else {
            all.insert(endpoint, at: index)
        }
    }

    /// Forgets a replica; its endpoint, if there was one.
    mutating func remove(_ id: ReplicaID) -> Endpoint? {
        let index = place(of: id)
        guard index < all.count, all[index].id.raw == id.raw else { return nil }
        return all.remove(at: index)
    }

    /// Where a replica stands, or would have to stand.
    private func place(of id: ReplicaID) -> Int {
        guard let first = all.first?.id.raw, id.raw > first else { return 0 }
        // Ids ascend, so that it is nowhere after this.
        let last = min(id.raw - first, all.count)
        if last < all.count, all[last].id.raw == id.raw { return last }
        var low = 0
        var high = last
        while low < high {
            let middle = (low + high) / 2
            if all[middle].id.raw < id.raw { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
