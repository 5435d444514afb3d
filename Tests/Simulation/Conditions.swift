// How the network of a world behaves.

/// Delays, sizes and small unkindnesses of the virtual network.
package struct Conditions: Sendable {
    /// How long one segment travels.
    package var latency: ClosedRange<Duration> = .microseconds(20)...(.microseconds(400))
    /// Most bytes of one segment.
    package var segmentBytesMax = 16_384
    /// How often a segment is cut to a few bytes.
    package var tinySegments = 0.0
    /// How often a send takes less than there is room for.
    package var shortSends = 0.0
    /// How often a call is interrupted by a signal (EINTR) and has to be repeated.
    package var interruptedCalls = 0.0
    /// How often only a part of the ready events is reported at once.
    package var partialBatches = 0.0
    /// Room of the sending side's buffer, in bytes.
    package var sendBufferBytes: ClosedRange<Int> = 16_384...262_144
    /// Room of the receiving side's buffer, in bytes.
    package var receiveBufferBytes: ClosedRange<Int> = 16_384...262_144
    /// How late a jump of the clock may land, as a machine under load wakes late.
    package var lateness: ClosedRange<Duration> = .zero...(.zero)
    /// Most descriptors of the loops together; beyond it calls fail with EMFILE.
    package var descriptorLimit = 100_000

    package init() {}

    /// A kind network: quick, whole segments, no surprises.
    package static let kind = Conditions()

    /// Each unkindness on or off by chance.
    package static func random(using generator: inout SeededGenerator) -> Conditions {
        var conditions = Conditions()
        if generator.chance(0.3) { conditions.latency = .microseconds(5)...(.milliseconds(30)) }
        if generator.chance(0.5) { conditions.tinySegments = 0.2 }
        if generator.chance(0.5) { conditions.shortSends = 0.2 }
        if generator.chance(0.3) { conditions.interruptedCalls = 0.05 }
        if generator.chance(0.5) { conditions.partialBatches = 0.2 }
        if generator.chance(0.3) { conditions.sendBufferBytes = 4_096...16_384 }
        if generator.chance(0.3) { conditions.receiveBufferBytes = 2_048...16_384 }
        if generator.chance(0.5) { conditions.lateness = .zero...(.milliseconds(2)) }
        return conditions
    }
}
