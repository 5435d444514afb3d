// The nearest spelling: near enough to help, never a wild guess.
import Testing

@testable import Configuration

@Suite struct `Spelling` {
    private static let names = [
        "concurrency", "policy", "queue", "health", "timeout", "timeouts", "keepAlive", "retries",
    ]

    @Test(arguments: [
        ("concurency", "concurrency"), ("conucrrency", "concurrency"),
        ("CONCURRENCY", "concurrency"),
        ("keepalive", "keepAlive"), ("keep_alive", "keepAlive"), ("timout", "timeout"),
        ("timeots", "timeouts"), ("retrys", "retries"), ("qeue", "queue"),
    ])
    func `finds what was meant`(_ word: String, _ meant: String) {
        #expect(nearest(to: word, among: Self.names) == meant)
    }

    @Test(arguments: ["zebra", "cookie", "", "x", "address"])
    func `keeps silent when nothing is near`(_ word: String) {
        #expect(nearest(to: word, among: Self.names) == nil)
    }

    @Test(arguments: [
        ("", "", 0), ("a", "", 1), ("ab", "ba", 1), ("abc", "abd", 1), ("kitten", "sitting", 3),
    ])
    func `counts edits`(_ left: String, _ right: String, _ distance: Int) {
        #expect(editDistance(Array(left.unicodeScalars), Array(right.unicodeScalars)) == distance)
    }
}
