// The deadlines of one loop, earliest first.
//
// A binary heap with lazy moves: a parking has at most one entry, and a deadline that moves later
// leaves the entry where it is. It fires early, is looked at, and moves then. A connection that
// answers a thousand requests a second so touches the heap once per keep-alive time-out.
//
// Invariant: every parking in the heap knows its place there, so that its entry can move forward
// and leave: nothing waits for those who are gone.

/// The heap.
struct Timers: ~Copyable {
    /// Unmanaged: counted once while it is in the heap, and not with every move.
    @safe private struct Entry {
        var time: Instant
        let parking: Unmanaged<Parking>

        /// The same parking at another time.
        func moved(to time: Instant) -> Entry {
            var moved = self
            moved.time = time
            return moved
        }
    }

    private var heap: [Entry] = []

    /// When the earliest entry is due.
    var next: Instant? { heap.first?.time }
    var count: Int { heap.count }

    deinit {
        for entry in heap { unsafe entry.parking.release() }
    }

    /// Makes sure that `parking` is looked at no later than `time`.
    mutating func arm(_ parking: Parking, at time: Instant) {
        if let place = parking.timerPlace {
            let entry = heap[place]
            if time < entry.time { siftUp(entry.moved(to: time), from: place) }
            return
        }
        let entry = unsafe Entry(time: time, parking: Unmanaged.passRetained(parking))
        heap.append(entry)
        siftUp(entry, from: heap.count - 1)
    }

    /// Nobody will wait in `parking` any more.
    mutating func forget(_ parking: Parking) {
        if let place = parking.timerPlace { remove(at: place) }
    }

    /// The next parking whose deadline has come by `now`; nil when none has.
    mutating func popDue(by now: Instant) -> Parking? {
        while let first = heap.first, first.time <= now {
            let parking = unsafe first.parking.takeUnretainedValue()
            let deadline = parking.isParked ? parking.deadline : nil
            if let deadline, deadline > now {
                siftDown(first.moved(to: deadline), from: 0)
                continue
            }
            remove(at: 0)
            if deadline != nil { return parking }
        }
        return nil
    }

    private mutating func remove(at place: Int) {
        let gone = heap[place]
        let last = heap.removeLast()
        if place < heap.count {
            if last.time < gone.time {
                siftUp(last, from: place)
            } else {
                siftDown(last, from: place)
            }
        }
        unsafe gone.parking._withUnsafeGuaranteedRef { $0.timerPlace = nil }
        unsafe gone.parking.release()
    }

    /// Puts `entry` at the free `place`, or at one before it.
    private mutating func siftUp(_ entry: Entry, from place: Int) {
        var place = place
        while place > 0 {
            let parent = (place - 1) / 2
            guard entry.time < heap[parent].time else { break }
            put(heap[parent], at: place)
            place = parent
        }
        put(entry, at: place)
    }

    /// Puts `entry` at the free `place`, or at one behind it.
    private mutating func siftDown(_ entry: Entry, from place: Int) {
        var place = place
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            let other = child + 1
            if other < heap.count, heap[other].time < heap[child].time { child = other }
            guard heap[child].time < entry.time else { break }
            put(heap[child], at: place)
            place = child
        }
        put(entry, at: place)
    }

    private mutating func put(_ entry: Entry, at place: Int) {
        heap[place] = entry
        unsafe entry.parking._withUnsafeGuaranteedRef { $0.timerPlace = place }
    }
}
