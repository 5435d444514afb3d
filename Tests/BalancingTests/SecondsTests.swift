import Testing

@testable import Balancing

@Suite struct `Seconds` {
    @Test(arguments: [0.0, 0.001, 1, 2.5, 3600, -4, 1e9])
    func `say the length of a duration to the nanosecond`(length: Double) {
        #expect(abs(seconds(of: .seconds(length)) - length) <= 2e-9 * max(abs(length), 1))
    }
}
