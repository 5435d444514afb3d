// What will happen in a world, and when.

import Transport

/// Something that the world has to let happen.
enum Happening {
    /// So many bytes reach the other end of a pipe.
    case segment(Pipe, Int)
    /// The end of a pipe's stream reaches the other end.
    case finish(Pipe)
    /// A reset travels down a pipe.
    case cut(Pipe)
    /// A connection attempt reaches the address it is for.
    case knock(VirtualSocket, Address, tries: Int)
    /// The answer to a connection attempt: 0 or an errno.
    case settled(VirtualSocket, Int32)
    /// A shortened send may go on.
    case poke(VirtualSocket)
    /// An actor of the world acts.
    case action(() -> Void)
}

/// A heap of happenings: earliest first, equal times in the order they were added.
struct Agenda {
    private struct Entry {
        let time: Int64
        let order: UInt64
        let happening: Happening

        func comes(before other: Entry) -> Bool {
            time != other.time ? time < other.time : order < other.order
        }
    }

    private var heap: [Entry] = []
    private var order: UInt64 = 0

    /// When the next is due, in nanoseconds of the world's clock.
    var next: Int64? { heap.first?.time }
    var count: Int { heap.count }

    mutating func add(_ happening: Happening, at time: Int64) {
        order += 1
        heap.append(Entry(time: time, order: order, happening: happening))
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[child].comes(before: heap[parent]) else { return }
            heap.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Happening {
        let first = heap[0].happening
        let last = heap.removeLast()
        guard !heap.isEmpty else { return first }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child].comes(before: heap[least]) { least = child }
            }
            guard least != parent else { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
