// power-of-two: draw two replicas, take the less loaded.

/// Cheap balance that does not herd when several gateways share the replicas.
enum PowerOfTwoChoices {
    /// The less loaded of two distinct random replicas with room; the only one if there is one.
    static func pick(
        from loads: Span<ReplicaLoad>,
        using random: inout SeededRandom
    ) -> Int? {
        var candidates = 0
        for index in loads.indices where loads[index].hasRoom { candidates += 1 }
        guard candidates > 0 else { return nil }
        let first = Int.random(in: 0..<candidates, using: &random)
        guard candidates > 1 else { return withRoom(first, in: loads) }
        // Drawn from one fewer and moved past the first, so that the two differ.
        var second = Int.random(in: 0..<(candidates - 1), using: &random)
        if second >= first { second += 1 }
        guard let one = withRoom(first, in: loads), let other = withRoom(second, in: loads) else {
            return nil
        }
        return loads[other].isLessLoaded(than: loads[one]) ? other : one
    }

    /// The index of the `ordinal`-th replica with room.
    private static func withRoom(_ ordinal: Int, in loads: Span<ReplicaLoad>) -> Int? {
        var left = ordinal
        for index in loads.indices where loads[index].hasRoom {
            if left == 0 { return index }
            left -= 1
        }
        return nil
    }
}
