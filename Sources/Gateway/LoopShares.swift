// Which loop a new connection goes to: the kernel spreads by hash, which leaves some loops more.

internal import Synchronization

/// How many client connections each loop has.
///
/// Every loop reads and changes it; the numbers need not agree with each other at any moment.
final class LoopShares: Sendable {
    private final class Count: Sendable {
        let value = Atomic<Int>(0)
    }

    private let counts: [Count]

    init(loops: Int) { counts = (0..<loops).map { _ in Count() } }

    /// Counts a connection that `loop` has accepted; returns the loop it goes to.
    ///
    /// That is another one only if it has clearly fewer: handing over costs a wake-up.
    func place(acceptedBy loop: Int) -> Int {
        var least = loop
        for other in counts.indices where count(of: other) < count(of: least) { least = other }
        let isEven = count(of: loop) <= count(of: least) + 1 + count(of: least) / 16
        let target = isEven ? loop : least
        counts[target].value.add(1, ordering: .relaxed)
        return target
    }

    /// A connection of `loop` is closed.
    func remove(from loop: Int) { counts[loop].value.subtract(1, ordering: .relaxed) }

    /// Connections of `loop` now.
    func count(of loop: Int) -> Int { counts[loop].value.load(ordering: .relaxed) }
}
