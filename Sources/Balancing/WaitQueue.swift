// The waiting room of a pool: ordered by rank, then first come first served, and bounded.
//
//   insert ──▶ standing ──▶ remove (granted, shed or withdrawn): once, whichever comes first
//
// Invariants (the pool's lock guards all of it):
// - every standing waiter is in exactly three orders: its level, the order of age, the heap of
//   deadlines;
// - levels are sorted, highest rank first, and none is empty;
// - a freed place changes its generation, so an old WaiterID finds nothing.

/// A waiter of one pool.
///
/// Unique for the life of the pool.
package struct WaiterID: Hashable, Sendable {
    /// Generation of the place in the upper half, the place in the lower.
    package let raw: UInt64

    /// An id from its raw value.
    package init(raw: UInt64) {
        self.raw = raw
    }
}

/// One who waits.
struct Waiter: Sendable {
    let arrival: Arrival
    let arrivedAt: Moment
    /// The order of service: higher first.
    ///
    /// Further attempts go before first ones of the same priority, since they have waited their
    /// turn already.
    let rank: Rank

    /// Request bytes held for it, 0 or more.
    var bytes: Int { max(arrival.bytes, 0) }

    init(_ arrival: Arrival, arrivedAt: Moment) {
        self.arrival = arrival
        self.arrivedAt = arrivedAt
        self.rank = Rank(priority: arrival.priority, isRetry: arrival.isRetry)
    }

    struct Rank: Comparable, Sendable {
        let priority: Int
        let isRetry: Bool

        static func < (left: Rank, right: Rank) -> Bool {
            if left.priority != right.priority { return left.priority < right.priority }
            return !left.isRetry && right.isRetry
        }
    }
}

/// The queue.
///
/// Insert and remove are O(log waiters + levels); the next to serve, the oldest and the earliest
/// deadline are O(1). The caller keeps the bound before it inserts.
struct WaitQueue: Sendable {
    /// How many wait.
    private(set) var count = 0
    /// Request bytes held for them.
    private(set) var bytes = 0
    /// How many of them exclude a replica.
    private(set) var excludingCount = 0

    private var places: [Place] = []
    private var firstFree = none
    private var levels: [Level] = []
    private var oldestPlace = none
    private var newestPlace = none
    /// Binary heap of places by deadline, earliest first.
    private var heap: [Int] = []

    private static let none = -1

    private struct Place: Sendable {
        var waiter: Waiter?
        var generation: UInt32 = 0
        var previousInLevel = none
        var nextInLevel = none
        /// Also the link of free places.
        var nextByAge = none
        var previousByAge = none
        var heapIndex = none
    }

    private struct Level: Sendable {
        let rank: Waiter.Rank
        var first: Int
        var last: Int
        var count: Int
    }

    var isEmpty: Bool { count == 0 }

    // MARK: Entering

    /// Puts `waiter` behind all of its rank.
    mutating func insert(_ waiter: Waiter) -> WaiterID {
        let place = takePlace()
        places[place].waiter = waiter
        count += 1
        bytes += waiter.bytes
        if !waiter.arrival.excluding.isEmpty { excludingCount += 1 }
        appendToLevel(place, rank: waiter.rank)
        appendByAge(place)
        places[place].heapIndex = heap.count
        heap.append(place)
        siftUp(from: heap.count - 1)
        return id(of: place)
    }

    // MARK: Looking

    /// Who would be served first; `nil` when nobody waits.
    var first: WaiterID? {
        levels.first.map { id(of: $0.first) }
    }

    /// Who would be served right after `waiter`, which stands in the queue.
    func following(_ waiter: WaiterID) -> WaiterID? {
        guard let place = place(of: waiter), let rank = places[place].waiter?.rank else {
            return nil
        }
        let next = places[place].nextInLevel
        if next != Self.none { return id(of: next) }
        let level = levelIndex(of: rank) + 1
        return level < levels.count ? id(of: levels[level].first) : nil
    }

    /// Who has waited longest.
    var oldest: WaiterID? { oldestPlace == Self.none ? nil : id(of: oldestPlace) }

    /// Whose deadline comes first.
    var mostUrgent: WaiterID? { heap.first.map { id(of: $0) } }

    /// The waiter with this id, if it still stands here.
    subscript(_ id: WaiterID) -> Waiter? {
        place(of: id).flatMap { places[$0].waiter }
    }

    /// How many would be served before a newcomer of `rank`.
    func ahead(of rank: Waiter.Rank) -> Int {
        var ahead = 0
        for level in levels {
            guard level.rank >= rank else { break }
            ahead += level.count
        }
        return ahead
    }

    // MARK: Leaving

    /// Takes the waiter out; `nil` when it no longer stands here.
    mutating func remove(_ id: WaiterID) -> Waiter? {
        guard let place = place(of: id), let waiter = places[place].waiter else { return nil }
        count -= 1
        bytes -= waiter.bytes
        if !waiter.arrival.excluding.isEmpty { excludingCount -= 1 }
        unlinkFromLevel(place, rank: waiter.rank)
        unlinkByAge(place)
        removeFromHeap(places[place].heapIndex)
        freePlace(place)
        return waiter
    }

    // MARK: Places

    private func id(of place: Int) -> WaiterID {
        WaiterID(raw: UInt64(places[place].generation) << 32 | UInt64(place))
    }

    private func place(of id: WaiterID) -> Int? {
        let place = Int(id.raw & 0xFFFF_FFFF)
        guard place < places.count, places[place].waiter != nil else { return nil }
        return UInt64(places[place].generation) == id.raw >> 32 ? place : nil
    }

    private mutating func takePlace() -> Int {
        guard firstFree != Self.none else {
            places.append(Place())
            return places.count - 1
        }
        let place = firstFree
        firstFree = places[place].nextByAge
        places[place].nextByAge = Self.none
        return place
    }

    private mutating func freePlace(_ place: Int) {
        let generation = places[place].generation &+ 1
        places[place] = Place(generation: generation, nextByAge: firstFree)
        firstFree = place
    }

    // MARK: Levels

    /// The index of the first level whose rank is not above `rank`.
    private func levelIndex(of rank: Waiter.Rank) -> Int {
        var low = 0
        var high = levels.count
        while low < high {
            let middle = (low + high) / 2
            if levels[middle].rank > rank { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func appendToLevel(_ place: Int, rank: Waiter.Rank) {
        let index = levelIndex(of: rank)
        guard index < levels.count, levels[index].rank == rank else {
            levels.insert(Level(rank: rank, first: place, last: place, count: 1), at: index)
            return
        }
        let last = levels[index].last
        places[last].nextInLevel = place
        places[place].previousInLevel = last
        levels[index].last = place
        levels[index].count += 1
    }

    private mutating func unlinkFromLevel(_ place: Int, rank: Waiter.Rank) {
        let index = levelIndex(of: rank)
        guard levels[index].count > 1 else {
            levels.remove(at: index)
            return
        }
        let previous = places[place].previousInLevel
        let next = places[place].nextInLevel
        if previous == Self.none {
            levels[index].first = next
        } else {
            places[previous].nextInLevel = next
        }
        if next == Self.none {
            levels[index].last = previous
        } else {
            places[next].previousInLevel = previous
        }
        levels[index].count -= 1
    }

    // MARK: Age

    private mutating func appendByAge(_ place: Int) {
        places[place].previousByAge = newestPlace
        if newestPlace == Self.none {
            oldestPlace = place
        } else {
            places[newestPlace].nextByAge = place
        }
        newestPlace = place
    }

    private mutating func unlinkByAge(_ place: Int) {
        let previous = places[place].previousByAge
        let next = places[place].nextByAge
        if previous == Self.none {
            oldestPlace = next
        } else {
            places[previous].nextByAge = next
        }
        if next == Self.none {
            newestPlace = previous
        } else {
            places[next].previousByAge = previous
        }
    }

    // MARK: Heap of deadlines

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        guard let one = places[heap[left]].waiter, let other = places[heap[right]].waiter else {
            preconditionFailure("place \(heap[left]) or \(heap[right]) of the heap is free")
        }
        return one.arrival.deadline < other.arrival.deadline
    }

    private mutating func removeFromHeap(_ index: Int) {
        let last = heap.count - 1
        if index != last { exchange(index, last) }
        heap.removeLast()
        guard index < heap.count else { return }
        siftDown(from: index)
        siftUp(from: index)
    }

    private mutating func siftUp(from start: Int) {
        var index = start
        while index > 0, isBefore(index, (index - 1) / 2) {
            exchange(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func siftDown(from start: Int) {
        var index = start
        while true {
            var least = index
            let left = 2 * index + 1
            if left < heap.count, isBefore(left, least) { least = left }
            if left + 1 < heap.count, isBefore(left + 1, least) { least = left + 1 }
            guard least != index else { return }
            exchange(index, least)
            index = least
        }
    }

    private mutating func exchange(_ left: Int, _ right: Int) {
        heap.swapAt(left, right)
        places[heap[left]].heapIndex = left
        places[heap[right]].heapIndex = right
    }
}
