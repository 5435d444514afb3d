// The defaults of local processes and the bounds of their number.
import Testing

@testable import Processes

@Suite struct `Process options` {
    @Test func `have the documented defaults`() {
        let options = ProcessOptions(name: "sales", command: ["x"])
        #expect(options.min == 1)
        #expect(options.max == 1)
        #expect(options.stopTimeout == .seconds(10))
        #expect(options.drainTimeout == .seconds(20))
        #expect(options.backoffMin == .milliseconds(500))
        #expect(options.backoffMax == .seconds(30))
        #expect(options.backoffReset == .seconds(30))
    }

    @Test(
        arguments: [
            (-1, nil, 0, 0), (3, nil, 3, 3), (3, 2, 3, 3), (0, 5, 0, 5), (9_999, nil, 1_024, 1_024),
            (1, 9_999, 1, 1_024),
        ] as [(Int, Int?, Int, Int)]
    )
    func `keep the bounds in order`(min: Int, max: Int?, boundedMin: Int, boundedMax: Int) {
        let options = ProcessOptions(name: "sales", command: ["x"], min: min, max: max)
        #expect(options.min == boundedMin)
        #expect(options.max == boundedMax)
    }
}
