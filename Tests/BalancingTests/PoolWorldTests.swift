import Testing

@testable import Balancing

@Suite struct `A pool in a random world` {
    @Test(arguments: UInt64(1)...12)
    func `keeps its promises after every event`(seed: UInt64) throws {
        var world = PoolWorld(seed: seed)
        try world.run(400)
        try world.end()
        #expect(world.tally.ended > 0)
    }

    @Test(arguments: UInt64(101)...102)
    func `recovers when the faults end`(seed: UInt64) throws {
        var world = PoolWorld(seed: seed)
        try world.run(300)
        try world.heal()
        try world.end()
    }

    @Test func `replays from its seed`() throws {
        var one = PoolWorld(seed: 8_675_309)
        var other = PoolWorld(seed: 8_675_309)
        try one.run(300)
        try other.run(300)
        #expect(one.trace == other.trace)
        #expect(one.tally == other.tally)
    }
}
