import Testing
import Transport

@Suite struct `Kept bytes` {
    @Test func `are none at first`() {
        let kept = KeptBytes()
        #expect(kept.isEmpty == true)
        #expect(array(kept) == [])
    }

    @Test(arguments: [0, 1, 63, 64, 65, 5_000])
    func `are a copy of what they were replaced with`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
        var kept = KeptBytes()
        kept.replace(with: bytes.span)
        #expect(array(kept) == bytes)
        #expect(kept.count == count)
        #expect(kept.isEmpty == bytes.isEmpty)
    }

    @Test func `give way to longer and shorter ones`() {
        var kept = KeptBytes()
        for count in [3, 200, 1, 70, 0, 400] {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
            kept.replace(with: bytes.span)
            #expect(array(kept) == bytes)
        }
    }

    @Test func `can be forgotten`() {
        var kept = KeptBytes()
        kept.replace(with: [1, 2, 3].span)
        kept.removeAll()
        #expect(kept.isEmpty == true)
        #expect(array(kept) == [])
        kept.replace(with: [4].span)
        #expect(array(kept) == [4])
    }

    private func array(_ kept: borrowing KeptBytes) -> [UInt8] {
        var copy: [UInt8] = []
        copy.replace(with: kept.span)
        return copy
    }
}
