// Random identifiers for requests that bring none.

/// A loop's source of random identifiers; seeded once, so that a simulated world replays.
struct IdentifierSource {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// 64 random bits (SplitMix64).
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    /// Appends `digits` random lower-case hexadecimal digits, not all of them zero.
    mutating func appendHex(_ digits: Int, to bytes: inout [UInt8]) {
        bytes.append(addingCapacity: digits) { output in
            var left = digits
            while left > 0 {
                var bits = next() | 1
                for _ in 0..<min(16, left) {
                    let digit = UInt8(truncatingIfNeeded: bits >> 60)
                    output.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                    bits <<= 4
                }
                left -= 16
            }
        }
    }
}
