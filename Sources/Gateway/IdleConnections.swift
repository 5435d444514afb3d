// A loop's kept connections to replicas, by endpoint.

/// Idle connections, on one shelf for each endpoint.
///
/// Shelves stand in an array by key: there are few, and a dictionary costs a hash and a block of
/// memory for each change.
struct IdleConnections<Connection> {
    private struct Shelf {
        let key: Int
        /// The most recently used last.
        var connections: [Connection]
    }

    private var shelves: [Shelf] = []
    /// All connections kept.
    private(set) var count = 0
    /// Most on one shelf.
    private let shelfMax: Int

    /// - Parameter shelfMax: most connections to one endpoint.
    init(shelfMax: Int) { self.shelfMax = shelfMax }

    var isEmpty: Bool { count == 0 }

    /// Keeps a connection to the endpoint `key`; false when its shelf is full.
    mutating func keep(_ connection: Connection, to key: Int) -> Bool {
        let place = place(of: key)
        if place == shelves.count || shelves[place].key != key {
            shelves.insert(Shelf(key: key, connections: []), at: place)
        }
        guard shelves[place].connections.count < shelfMax else { return false }
        shelves[place].connections.append(connection)
        count += 1
        return true
    }

    /// Takes the connection to an endpoint that was used last; nil when there is none.
    mutating func take(_ key: Int) -> Connection? {
        let place = place(of: key)
        guard place < shelves.count, shelves[place].key == key,
            let connection = shelves[place].connections.popLast()
        else { return nil }
        count -= 1
        return connection
    }

    /// Takes all connections to an endpoint.
    mutating func takeAll(_ key: Int) -> [Connection] {
        let place = place(of: key)
        guard place < shelves.count, shelves[place].key == key else { return [] }
        count -= shelves[place].connections.count
        return shelves.remove(at: place).connections
    }

    /// Takes every connection that `isGood` says no to.
    mutating func take(unless isGood: (Connection) -> Bool) -> [Connection] {
        var bad: [Connection] = []
        for place in shelves.indices {
            shelves[place].connections.removeAll { connection in
                if isGood(connection) { return false }
                bad.append(connection)
                return true
            }
        }
        shelves.removeAll { $0.connections.isEmpty }
        count -= bad.count
        return bad
    }

    /// Where the shelf of a key stands, or would stand.
    private func place(of key: Int) -> Int {
        var (low, high) = (0, shelves.count)
        while low < high {
            let middle = (low + high) / 2
            if shelves[middle].key < key { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
