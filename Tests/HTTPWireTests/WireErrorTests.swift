// Faults are told apart in a log.

import HTTPWire
import Testing

@Suite struct `Wire error` {
    @Test func `describes every fault in words of its own`() {
        let words = WireError.allCases.map(\.description)
        #expect(Set(words).count == WireError.allCases.count)
        #expect(words.allSatisfy { !$0.isEmpty && !$0.contains("\n") })
    }
}
