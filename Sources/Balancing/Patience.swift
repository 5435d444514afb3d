// How long a replica may say nothing before another one is worth a try: learned from the answers.

/// What the first bytes of a pool's recent answers took, and the silence that is too long here.
///
/// A faded histogram, four classes an octave. Old answers fade by count (about the last 800
/// matter), so a quiet night forgets nothing. What is slow but not rare is usual: a model of which
/// one answer in fifty takes ten seconds is given half a minute.
struct Patience: Sendable {
    private var options: AttemptTimeout
    private var counts = InlineArray<96, UInt16>(repeating: 0)
    private var total = 0
    private var sinceLook = 0
    private var learned: Int64?

    /// Answers before anything is said: the slowest hundredth of fewer is not known.
    private static let enough = 100
    /// All counts are halved here, and so stay below what 16 bits hold.
    private static let most = 1024
    /// Answers between two looks at the histogram, so that one answer costs next to nothing.
    private static let lookEvery = 32
    /// The share of answers that are slower than usual: one in so many.
    private static let rarity = 100
    /// Silence is too long at so many times what is usual.
    private static let multiple: Int64 = 3
    /// Below this a replica may just not have been given the processor.
    private static let shortest: Int64 = 100_000_000

    init(_ options: AttemptTimeout) {
        self.options = options
    }

    /// Takes a new setting; what was learned stays.
    mutating func configure(_ options: AttemptTimeout) {
        self.options = options
    }

    /// The silence after which an attempt may be given up, in nanoseconds; `nil`: never, or not
    /// known yet.
    var nanoseconds: Int64? {
        switch options {
        case .automatic: learned
        case .fixed(let duration): duration.wholeNanoseconds
        case .off: nil
        }
    }

    /// Takes in how long the first byte of an answer took.
    mutating func record(_ firstByte: Duration) {
        let index = Self.index(of: firstByte.wholeNanoseconds)
        counts[index] += 1
        total += 1
        sinceLook += 1
        if total >= Self.most { halve() }
        guard sinceLook >= Self.lookEvery || learned == nil, total >= Self.enough else { return }
        sinceLook = 0
        learned = max(usual * Self.multiple, Self.shortest)
    }

    /// The upper end of the class in which the slowest hundredth begins.
    private var usual: Int64 {
        var slower = 0
        let counts = counts.span
        for index in counts.indices.reversed() {
            slower += Int(counts[index])
            if slower * Self.rarity > total { return Self.end(of: index) }
        }
        return 0
    }

    private mutating func halve() {
        total = 0
        for index in counts.indices {
            counts[index] /= 2
            total += Int(counts[index])
        }
    }

    /// The first class ends at 2^16 ns (66 µs), the last holds all from 18 minutes on.
    private static func index(of nanoseconds: Int64) -> Int {
        let units = UInt64(max(nanoseconds, 0)) >> 16
        guard units > 0 else { return 0 }
        let octave = 63 - units.leadingZeroBitCount
        let quarter = octave >= 2 ? (units >> UInt64(octave - 2)) & 3 : (units << (2 - octave)) & 3
        return min(1 + 4 * octave + Int(quarter), 95)
    }

    /// Where a class ends, in nanoseconds.
    private static func end(of index: Int) -> Int64 {
        guard index > 0 else { return 1 << 16 }
        let octave = (index - 1) / 4
        let quarters = Int64((index - 1) % 4 + 5)
        return (quarters << Int64(octave + 16)) / 4
    }
}
