import HTTPWire
import Testing

@testable import Gateway

@Suite struct `Identifiers` {
    private func requestID(_ source: inout IdentifierSource) -> String {
        let made = source.requestID()
        return text(made.span)
    }

    private func traceparent(_ source: inout IdentifierSource) -> String {
        let made = source.traceparent()
        return text(made.span)
    }

    private func text(_ bytes: Span<UInt8>) -> String {
        String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
    }

    @Test func `of requests are 32 lower-case hexadecimal digits`() {
        var source = IdentifierSource(seed: 7)
        let id = requestID(&source)
        #expect(id.count == 32)
        #expect(id.allSatisfy { "0123456789abcdef".contains($0) })
    }

    @Test func `of traces are as W3C Trace Context wants them`() {
        var source = IdentifierSource(seed: 7)
        let made = Array(traceparent(&source).utf8)
        let isValid = made.span.isTraceparent
        #expect(isValid)
        #expect(made.starts(with: "00-".utf8) && made.suffix(3).elementsEqual("-01".utf8))
    }

    @Test func `are the random numbers in their order`() {
        var source = IdentifierSource(seed: 5)
        var numbers = IdentifierSource(seed: 5)
        let words = (0..<5).map { _ in
            let digits = String(numbers.next() | 1, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        #expect(requestID(&source) == words[0] + words[1])
        #expect(traceparent(&source) == "00-\(words[2])\(words[3])-\(words[4])-01")
    }

    @Test func `replay from the seed`() {
        var (one, same, other) = (
            IdentifierSource(seed: 1), IdentifierSource(seed: 1), IdentifierSource(seed: 2)
        )
        let id = requestID(&one)
        #expect(id == requestID(&same))
        #expect(id != requestID(&other))
    }

    @Test func `do not repeat`() {
        var source = IdentifierSource(seed: 3)
        let numbers = (0..<10_000).map { _ in source.next() }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func `are never all zero`() {
        // The 16 digits of a span id must not be zero (W3C Trace Context §3.2.2.4).
        for seed in UInt64(0)..<2_000 {
            var source = IdentifierSource(seed: seed)
            let made = Array(traceparent(&source).utf8)
            let isValid = made.span.isTraceparent
            #expect(isValid)
        }
    }
}
