import Testing

@testable import Gateway

@Suite struct `Loop shares` {
    @Test func `keep a connection where it came in while the loops are even`() {
        let shares = LoopShares(loops: 3)
        #expect((0..<3).map { shares.place(acceptedBy: $0) } == [0, 1, 2])
        #expect(shares.place(acceptedBy: 1) == 1)
    }

    @Test func `give what one loop has too much of to the one with the fewest`() {
        let shares = LoopShares(loops: 3)
        for _ in 0..<64 { _ = shares.place(acceptedBy: 0) }
        let counts = (0..<3).map { shares.count(of: $0) }
        #expect(counts.reduce(0, +) == 64)
        #expect(counts.allSatisfy { (20...24).contains($0) }, "\(counts)")
    }

    @Test func `allow a little more the more there are, so that few are handed over`() {
        let shares = LoopShares(loops: 2)
        for _ in 0..<1600 { _ = shares.place(acceptedBy: 0) }
        #expect(shares.count(of: 0) > shares.count(of: 1) + 20)
        #expect(shares.count(of: 0) < shares.count(of: 1) + 60)
    }

    @Test func `know that a connection is gone`() {
        let shares = LoopShares(loops: 2)
        for _ in 0..<2 { #expect(shares.place(acceptedBy: 0) == 0) }
        shares.remove(from: 0)
        #expect(shares.count(of: 0) == 1)
        #expect(shares.place(acceptedBy: 0) == 0)
    }
}
