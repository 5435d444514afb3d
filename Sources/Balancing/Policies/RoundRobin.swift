// round-robin: in turn; a replica of weight w has w turns in a cycle, spread over its rounds.

/// Interleaved weighted round robin: in round r of a cycle every replica of weight > r has a turn.
struct RoundRobin: Sendable {
    private var next = 0
    private var round = 0

    /// The next replica in turn that has room.
    ///
    /// A turn that finds no room is lost.
    mutating func pick(from loads: Span<ReplicaLoad>) -> Int? {
        var heaviest = 0
        for index in loads.indices where loads[index].hasRoom {
            heaviest = max(heaviest, loads[index].weight)
        }
        guard heaviest > 0 else { return nil }
        if round >= heaviest { round = 0 }
        // The heaviest with room has a turn in every round, so it is met within the rest of this
        // pass and the next one.
        for _ in 0..<(2 * loads.count) {
            if next >= loads.count {
                next = 0
                round = (round + 1) % heaviest
            }
            let index = next
            next += 1
            if loads[index].hasRoom, loads[index].weight > round { return index }
        }
        return nil
    }
}
