// Random identifiers for requests that bring none.

internal import Transport

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

    /// Appends 16 random lower-case hexadecimal digits for each of `words`, not all of them zero.
    mutating func appendHex(words: Int, to bytes: inout [UInt8]) {
        for _ in 0..<words {
            let digits = (next() | 1).hexDigits
            bytes.append(digits.span)
        }
    }
}

extension UInt64 {
    /// The value in 16 lower-case hexadecimal digits.
    var hexDigits: InlineArray<16, UInt8> {
        InlineArray { index in
            let digit = UInt8(truncatingIfNeeded: self >> UInt64(60 - 4 * index)) & 0xf
            return digit &+ 0x30 &+ (digit < 10 ? 0 : 0x27)
        }
    }
}
