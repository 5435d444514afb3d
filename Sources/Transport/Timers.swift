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
    /// Entries that nobody waits for any more, about.
    private var stale = 0
    /// So many are kept before the heap is cleared of them, if they are half of it.
    private static let staleMax = 1024

    /// When the earliest entry is due.
    var next: Instant? { heap.first?.time }
    var count: Int { heap.count }

    /// Makes sure that `parking` is looked at no later than `time`.
    mutating func arm(_ parking: Parking, at time: Instant) {
        if let armed = parking.armed {
            if armed <= time { return }
            stale += 1
        }
        parking.armed = time
        heap.append(Entry(time: time, parking: parking))
        siftUp(from: heap.count - 1)
    }

    /// Nobody will wait in `parking` any more.
    ///
    /// Its entry stays until it is due, but of many such entries the heap is cleared: connections
    /// that come and go quickly must not pile up for as long as they could have stayed.
    mutating func forget(_ parking: Parking) {
        guard parking.armed != nil else { return }
        parking.armed = nil
        stale += 1
        guard stale > max(Timers.staleMax, heap.count / 2) else { return }
        // A sorted array is a heap.
        heap = heap.filter { $0.parking.armed == $0.time }.sorted { $0.time < $1.time }
        stale = 0
    }

    /// The next parking whose deadline has come by `now`; nil when none has.
    mutating func popDue(by now: Instant) -> Parking? {
        while let first = heap.first, first.time <= now {
            removeFirst()
            let parking = first.parking
            // An entry that an earlier one has replaced.
            guard parking.armed == first.time else {
                stale = max(0, stale - 1)
                continue
            }
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
