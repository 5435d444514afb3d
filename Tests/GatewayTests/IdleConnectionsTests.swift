import Testing

@testable import Gateway

/// Whole numbers stand for connections: the tens are the endpoint.
@Suite struct `Idle connections` {
    private func idle(_ connections: [Int], shelfMax: Int = 10) -> IdleConnections<Int> {
        var idle = IdleConnections<Int>(shelfMax: shelfMax)
        for connection in connections { _ = idle.keep(connection, to: connection / 10) }
        return idle
    }

    @Test(arguments: [[11, 21, 31], [31, 11, 21], [21, 31, 11]])
    func `are found by their endpoint, in whatever order endpoints came`(_ kept: [Int]) {
        var idle = idle(kept)
        #expect(idle.take(2) == 21)
        #expect(idle.take(2) == nil)
        #expect(idle.take(4) == nil)
        #expect(idle.take(1) == 11)
        #expect(idle.take(3) == 31)
        #expect(idle.isEmpty)
    }

    @Test func `are taken again the last one first`() {
        var idle = idle([11, 12, 21, 13])
        #expect([idle.take(1), idle.take(1), idle.take(1), idle.take(1)] == [13, 12, 11, nil])
        #expect(idle.count == 1)
    }

    @Test func `are no more to one endpoint than a shelf holds`() {
        var idle = idle([11, 12, 21], shelfMax: 2)
        let isKept = idle.keep(13, to: 1)
        #expect(!isKept)
        #expect(idle.count == 3)
        let hasRoom = idle.keep(22, to: 2)
        #expect(hasRoom)
    }

    @Test func `of an endpoint that is gone are all taken`() {
        var idle = idle([11, 21, 12])
        let gone = idle.takeAll(1)
        let again = idle.takeAll(1)
        #expect(gone == [11, 12])
        #expect(again.isEmpty)
        #expect(idle.count == 1)
        #expect(idle.take(2) == 21)
    }

    @Test func `that are no longer good are taken, and the others stay`() {
        var idle = idle([11, 12, 21, 22, 31])
        let bad = idle.take { $0 % 2 == 0 }
        #expect(bad == [11, 21, 31])
        #expect(idle.count == 2)
        #expect(idle.take(3) == nil)
        #expect(idle.take(1) == 12)
        #expect(idle.take(2) == 22)
    }
}
