// The deadlines of one loop, earliest first.
//
// A binary heap with lazy moves: a parking keeps at most one live entry, and a deadline that moves
// later leaves the entry where it is. It fires early, is looked at, and goes back in. A connection
// that answers a thousand requests a second so touches the heap once per keep-alive time-out.

/// The heap.
struct Timers {
    private struct Entry {
        let time: Instant
        let parking: Parking
    }

    private var heap: [Entry] = []

    /// When the earliest entry is due.
    var next: Instant? { heap.first?.time }
    var count: Int { heap.count }

    /// Makes sure that `parking` is looked at no later than `time`.
    mutating func arm(_ parking: Parking, at time: Instant) {
        if let armed = parking.armed, armed <= time { return }
        parking.armed = time
        heap.append(Entry(time: time, parking: parking))
        siftUp(from: heap.count - 1)
    }

    /// The next parking whose deadline has come by `now`; nil when none has.
    mutating func popDue(by now: Instant) -> Parking? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            let parking = first.parking
            // An entry that an earlier one has replaced.
            guard parking.armed == first.time else { continue }
            parking.armed = nil
            guard parking.isParked, let deadline = parking.deadline else { continue }
            if deadline <= now { return parking }
            arm(parking, at: deadline)
        }
        return nil
    }

    private mutating func removeFirst() {
        let last = heap.removeLast()
        guard !heap.isEmpty else { return }
        heap[0] = last
        siftDown(from: 0)
    }

    private mutating func siftUp(from index: Int) {
        var child = index
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].time < heap[parent].time else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(from index: Int) {
        var parent = index
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].time < heap[least].time { least = child }
            }
            guard least != parent else { return }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
