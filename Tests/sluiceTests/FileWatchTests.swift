import Testing

@testable import sluice

@Suite struct `File watch` {
    @Test func `takes a change once it has settled`() {
        var watch = FileWatch(1)
        #expect([1, 2, 2, 2].map { watch.look($0) } == [false, false, true, false])
    }

    @Test func `waits while the file keeps changing`() {
        var watch = FileWatch(1)
        #expect([2, 3, 4, 4].map { watch.look($0) } == [false, false, false, true])
    }

    @Test func `does not mind that the file is gone for a moment`() {
        var watch = FileWatch<Int>(1)
        #expect([nil, nil, 1, 1].map { watch.look($0) } == [false, false, false, false])
        #expect([nil, 2, 2].map { watch.look($0) } == [false, false, true])
    }

    @Test func `does not take again what somebody else has had taken`() {
        var watch = FileWatch(1)
        _ = watch.look(2)
        watch.take(2)
        #expect([2, 2].map { watch.look($0) } == [false, false])
    }

    @Test func `takes the way back as a change too`() {
        var watch = FileWatch(1)
        #expect([2, 2, 1, 1].map { watch.look($0) } == [false, true, false, true])
    }
}
