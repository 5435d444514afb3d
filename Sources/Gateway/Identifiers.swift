// Random identifiers for requests that bring none.

internal import HTTPWire

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

    /// A request id: 32 random lower-case hexadecimal digits.
    mutating func requestID() -> InlineArray<32, UInt8> {
        var text = InlineArray<32, UInt8>(repeating: 0)
        var room = text.mutableSpan
        room.withWriter { writer in
            writer.write(hexDigits: nextID())
            writer.write(hexDigits: nextID())
        }
        return text
    }

    /// A `traceparent` of version 00 that begins a sampled trace (W3C Trace Context §3.2).
    mutating func traceparent() -> InlineArray<55, UInt8> {
        var text = InlineArray<55, UInt8>(repeating: 0)
        var room = text.mutableSpan
        room.withWriter { writer in
            writer.write("00-")
            writer.write(hexDigits: nextID())
            writer.write(hexDigits: nextID())
            writer.write("-")
            writer.write(hexDigits: nextID())
            writer.write("-01")
        }
        return text
    }

    /// Random bits, not all of them zero.
    private mutating func nextID() -> UInt64 { next() | 1 }
}
