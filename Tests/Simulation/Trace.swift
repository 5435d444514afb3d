// What happened in a world, boiled down to one number: two runs with equal traces were equal.

import Glibc

/// The running hash over every event of a world.
package struct Trace {
    /// What an event of the trace was.
    enum Kind: UInt8 {
        case turn, poll, register, listen, accept, connect, receive, send, shutdown, close, reset
        case segment, finish, cut, established, action, jump, random
    }

    /// FNV-1a over all events so far.
    package private(set) var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    /// Events so far.
    package private(set) var count = 0
    /// Whether each event is also printed.
    package var isPrinted = getenv("SLUICE_SIM_TRACE") != nil

    mutating func note(_ kind: Kind, at nanoseconds: Int64, _ one: Int64, _ other: Int64 = 0) {
        count += 1
        add(UInt64(kind.rawValue))
        add(UInt64(bitPattern: nanoseconds))
        add(UInt64(bitPattern: one))
        add(UInt64(bitPattern: other))
        guard isPrinted else { return }
        print(count, Double(nanoseconds) / 1e9, kind, one, other, separator: "\t")
    }

    /// Eight bytes at once: FNV's mix, not its byte order.
    private mutating func add(_ word: UInt64) {
        hash = (hash ^ word) &* 0x0000_0100_0000_01b3
        hash ^= hash >> 29
    }
}
