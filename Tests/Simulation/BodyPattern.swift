// Bodies that prove whose they are: every byte follows from a request's number and its place.

import Glibc

/// The endless body that belongs to one number.
package struct BodyPattern {
    /// Not a power of two, so that a shift by a usual buffer size shows.
    private static let period = 1_016
    private let block: [UInt8]

    /// What a client sends with its request.
    package static func request(_ number: Int) -> BodyPattern { BodyPattern(2 * number) }
    /// What a replica answers to a request.
    package static func answer(_ number: Int) -> BodyPattern { BodyPattern(2 * number + 1) }

    private init(_ number: Int) {
        var generator = SeededGenerator(seed: UInt64(truncatingIfNeeded: number) &* 0x9e37_79b9)
        let words = (0..<BodyPattern.period / 8).map { _ in generator.next() }
        block = words.withUnsafeBytes { Array($0) }
    }

    /// `count` bytes from `offset` on.
    package func bytes(from offset: Int, count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        var place = offset % BodyPattern.period
        while bytes.count < count {
            let end = min(BodyPattern.period, place + count - bytes.count)
            bytes.append(contentsOf: block[place..<end])
            place = 0
        }
        return bytes
    }

    /// Whether `bytes` are those that belong at `offset`.
    package func matches(_ bytes: [UInt8], at offset: Int) -> Bool {
        let expected = self.bytes(from: offset, count: bytes.count)
        return bytes.withUnsafeBytes { one in
            expected.withUnsafeBytes { other in
                guard let one = one.baseAddress, let other = other.baseAddress else { return true }
                return memcmp(one, other, bytes.count) == 0
            }
        }
    }
}
