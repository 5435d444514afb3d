// consistent-hash: an affinity key keeps its replica, unless that has more than its share.

/// Weighted rendezvous hashing with bounded load: no ring to build, and a replica that comes or
/// goes moves only its own share of the keys.
enum ConsistentHash {
    /// The replica with room that ranks highest for `key` among those within their bound; if
    /// all with room are above it, the highest ranking of them.
    ///
    /// A replica's rank is −weight ÷ ln u with u its own uniform draw for the key, so that it is
    /// the highest with a chance proportional to its weight. Its bound is
    /// ⌈boundedLoad × (in flight + 1) × its share of slots × weight⌉.
    static func pick(from loads: Span<ReplicaLoad>, key: UInt64, boundedLoad: Double) -> Int? {
        var inFlight = 1
        var shares = 0
        var weights = (least: Int.max, most: 0)
        for index in loads.indices where loads[index].isUsable {
            let weight = loads[index].weight
            weights = (min(weights.least, weight), max(weights.most, weight))
            inFlight += loads[index].inFlight
            shares += loads[index].limit * loads[index].weight
        }
        let perShare = max(boundedLoad, 1) * Double(inFlight) / Double(max(shares, 1))
        var best: Int?
        var bestRank = -Double.infinity
        var fallback: Int?
        var fallbackRank = -Double.infinity
        for index in loads.indices where loads[index].hasRoom {
            let load = loads[index]
            let draw = draw(of: load, key: key)
            // With equal weights the rank orders as the draw does, without a logarithm.
            let rank =
                weights.least == weights.most ? draw : -Double(load.weight) / logarithm(draw)
            if rank > fallbackRank {
                fallback = index
                fallbackRank = rank
            }
            let bound = (perShare * Double(load.limit * load.weight)).rounded(.up)
            if rank > bestRank, Double(load.inFlight) < bound {
                best = index
                bestRank = rank
            }
        }
        return best ?? fallback
    }

    /// The pair's own number, uniform in the open interval (0, 1).
    private static func draw(of load: ReplicaLoad, key: UInt64) -> Double {
        let mixed = SeededRandom.mix(load.identity ^ SeededRandom.mix(key))
        return (Double(mixed >> 11) + 0.5) / Double(1 << 53)
    }

    /// The natural logarithm of `value`, more than 0, to about 1e-9: the standard library has none.
    ///
    /// With s = significand scaled into [√½, √2) and z = (s − 1) ÷ (s + 1), ln s = 2 artanh z,
    /// whose series has |z| ≤ 0.172.
    static func logarithm(_ value: Double) -> Double {
        var exponent = Double(value.exponent)
        var scaled = value.significand
        if scaled > 1.414_213_562_373_095_1 {
            scaled /= 2
            exponent += 1
        }
        let z = (scaled - 1) / (scaled + 1)
        let square = z * z
        let series = 1 + square * (1 / 3 + square * (1 / 5 + square * (1 / 7 + square / 9)))
        return exponent * 0.693_147_180_559_945_3 + 2 * z * series
    }
}
