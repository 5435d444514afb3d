import Testing

@testable import Gateway

@Suite struct `Version` {
    @Test func `is three numbers`() {
        let numbers = sluiceVersion.split(separator: ".").compactMap { Int($0) }
        #expect(numbers.count == 3)
    }
}
