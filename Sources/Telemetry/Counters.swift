// Counters that several loops add to without a lock: one number, one number per case of a closed
// list, and the table of statuses and reasons.
import Synchronization

/// A family of counters, one per case of a closed list.
package final class CounterSet<Key: MetricKey>: Sendable {
    private let stripes: [CounterStripe]

    /// Makes counters at zero.
    ///
    /// - Parameter stripes: How many loops count, 1 or more.
    package init(stripes: Int = 1) {
        precondition(
            Key.allCases.count <= CounterStripe.cellsMax,
            "\(Key.self) has \(Key.allCases.count) cases of \(CounterStripe.cellsMax)"
        )
        self.stripes = (0..<max(1, stripes)).map { _ in CounterStripe() }
    }

    /// Adds to the counter of `key`.
    ///
    /// Any thread may call this. `stripe` is the number of the calling loop; any value is right.
    package func add(_ key: Key, _ amount: UInt64 = 1, stripe: Int = 0) {
        let own = stripes[stripes.count == 1 ? 0 : abs(stripe % stripes.count)]
        own.cells[Int(key.rawValue)].wrappingAdd(amount, ordering: .relaxed)
    }

    /// The count of `key` so far.
    package func read(_ key: Key) -> UInt64 {
        stripes.reduce(0) { $0 &+ $1.cells[Int(key.rawValue)].load(ordering: .relaxed) }
    }
}

/// The cells of a `CounterSet` that one loop writes.
final class CounterStripe: Sendable {
    static let cellsMax = 16
    let cells = InlineArray<16, Atomic<UInt64>> { _ in Atomic(0) }
}

/// Counts answers by status code and reason.
///
/// Cells appear when they are first needed, without a lock: a slot of an open hash table is
/// claimed by one compare-and-exchange of its key and never given back. At most 64 pairs are told
/// apart; what comes after is counted under the code `other`.
package final class AnswerCounters: Sendable {
    private let stripes: [AnswerStripe]

    /// Makes a table that holds nothing but the pair 200 and `ok`, at zero.
    ///
    /// - Parameter stripes: How many loops count, 1 or more.
    package init(stripes: Int = 1) {
        self.stripes = (0..<max(1, stripes)).map { _ in AnswerStripe() }
        self.stripes[0].add(code: 200, reason: .ok, amount: 0)
    }

    /// Counts one answer.
    ///
    /// Any thread may call this. `stripe` is the number of the calling loop; any value is right.
    package func add(code: UInt16, reason: Reason, stripe: Int = 0) {
        let own = stripes[stripes.count == 1 ? 0 : abs(stripe % stripes.count)]
        own.add(code: code, reason: reason, amount: 1)
    }

    /// All pairs seen so far, by code and then by reason; `code` is nil for those beyond the bound.
    package func read() -> [AnswerCount] {
        var sums: [UInt32: UInt64] = [:]
        var others = [UInt64](repeating: 0, count: Reason.allCases.count)
        for stripe in stripes {
            stripe.collect(into: &sums)
            for reason in others.indices {
                others[reason] &+= stripe.others[reason].load(ordering: .relaxed)
            }
        }
        var answers = sums.sorted { $0.key < $1.key }.compactMap { key, count in
            AnswerStripe.reason(of: key).map {
                AnswerCount(code: AnswerStripe.code(of: key), reason: $0, count: count)
            }
        }
        for reason in Reason.allCases where others[Int(reason.rawValue)] > 0 {
            let count = others[Int(reason.rawValue)]
            answers.append(AnswerCount(code: nil, reason: reason, count: count))
        }
        return answers
    }
}

/// How many answers had this code and this reason.
package struct AnswerCount: Sendable, Equatable {
    /// The status code; nil stands for all codes that found no cell.
    package let code: UInt16?
    /// Why these exchanges ended.
    package let reason: Reason
    /// How many there were since the start.
    package let count: UInt64
}

/// The cells of `AnswerCounters` that one loop writes.
private final class AnswerStripe: Sendable {
    static let slots = 64
    /// Zero is a free slot; see `key(code:reason:)`.
    let keys = InlineArray<64, Atomic<UInt32>> { _ in Atomic(0) }
    let counts = InlineArray<64, Atomic<UInt64>> { _ in Atomic(0) }
    /// By reason, for pairs that found every slot taken.
    let others = InlineArray<16, Atomic<UInt64>> { _ in Atomic(0) }

    func add(code: UInt16, reason: Reason, amount: UInt64) {
        let key = Self.key(code: code, reason: reason)
        // 40503 is 2^16 divided by the golden ratio: neighbouring codes land far apart.
        var slot = Int((key &* 40_503) >> 4) % Self.slots
        for _ in 0..<Self.slots {
            var found = keys[slot].load(ordering: .relaxed)
            if found == 0 {
                let claim = keys[slot].compareExchange(
                    expected: 0,
                    desired: key,
                    ordering: .relaxed
                )
                found = claim.exchanged ? key : claim.original
            }
            if found == key {
                counts[slot].wrappingAdd(amount, ordering: .relaxed)
                return
            }
            slot = (slot + 1) % Self.slots
        }
        others[Int(reason.rawValue)].wrappingAdd(amount, ordering: .relaxed)
    }

    func collect(into sums: inout [UInt32: UInt64]) {
        for slot in 0..<Self.slots {
            let key = keys[slot].load(ordering: .relaxed)
            if key != 0 {
                sums[key, default: 0] &+= counts[slot].load(ordering: .relaxed)
            }
        }
    }

    /// Code and reason in one number that sorts by code and is never zero.
    static func key(code: UInt16, reason: Reason) -> UInt32 {
        UInt32(code) << 8 | UInt32(reason.rawValue) + 1
    }

    static func code(of key: UInt32) -> UInt16 {
        UInt16(key >> 8)
    }

    static func reason(of key: UInt32) -> Reason? {
        Reason(rawValue: UInt8(key & 0xFF) - 1)
    }
}
