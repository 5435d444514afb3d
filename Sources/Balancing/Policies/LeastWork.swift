// least-connections: the replica with the least in flight per slot and weight.

/// A full scan; replicas are few, and a scan is exact where sampling is not.
enum LeastWork {
    /// The least loaded replica with room; among equals the first from `start` on, wrapping.
    static func pick(from loads: Span<ReplicaLoad>, startingAt start: Int) -> Int? {
        var best: Int?
        var index = start < loads.count ? start : 0
        for _ in 0..<loads.count {
            if loads[index].hasRoom {
                // Nothing is less than nothing, and whatever came before has something.
                if loads[index].inFlight == 0 { return index }
                if let current = best {
                    if loads[index].isLessLoaded(than: loads[current]) { best = index }
                } else {
                    best = index
                }
            }
            index += 1
            if index == loads.count { index = 0 }
        }
        return best
    }
}
