import Testing

@testable import Balancing

@Suite struct `Affinity hash` {
    @Test func `never changes from release to release`() {
        // Several gateways of different age must agree; a change here moves every conversation.
        #expect(AffinityHash.key(of: "conversation-17") == 0xD7A2_FF72_0334_6D60)
    }

    @Test(arguments: ["", "a", "conversation-17", "größer"])
    func `is the same for text and for its bytes`(text: String) {
        let bytes = Array(text.utf8)
        #expect(AffinityHash.key(of: bytes.span) == AffinityHash.key(of: text))
    }

    @Test func `differs by seed`() {
        #expect(AffinityHash.key(of: "a", seed: 1) != AffinityHash.key(of: "a", seed: 2))
    }

    @Test func `spreads near keys over all values`() {
        var buckets = [Int](repeating: 0, count: 16)
        for number in 0..<16_000 {
            buckets[Int(AffinityHash.key(of: "user-\(number)") >> 60)] += 1
        }
        #expect(buckets.allSatisfy { (800...1200).contains($0) })
    }
}
