import Glibc
import Testing
import Transport

@Suite struct `System network` {
    @Test func `has a clock that never goes back`() throws {
        let network = try SystemNetwork()
        var last: Int64 = 0
        for _ in 0..<1_000 {
            let now = network.monotonicNanoseconds
            #expect(now >= last)
            last = now
        }
    }

    @Test func `knows the date`() throws {
        let seconds = try SystemNetwork().wallNanoseconds / 1_000_000_000
        #expect(abs(seconds - Int64(time(nil))) <= 1)
    }

    @Test func `does not repeat its random numbers`() throws {
        let network = try SystemNetwork()
        #expect(Set((0..<100).map { _ in network.random() }).count == 100)
    }

    @Test func `ends a poll that was interrupted before it began`() throws {
        let network = try SystemNetwork()
        network.interrupt()
        network.interrupt()
        var events: [ReadyEvent] = []
        network.poll(into: &events, milliseconds: -1)
        #expect(events.isEmpty)
    }

    @Test func `reports a new connection to a listener, once`() throws {
        let network = try SystemNetwork()
        let listener = network.listen(
            at: Address(bytes: [127, 0, 0, 1], port: 0),
            backlog: 1,
            shared: false
        )
        defer { network.close(listener) }
        #expect(network.register(listener, token: 42, watchesRoom: false) == 0)
        let address = try #require(network.localAddress(of: listener))
        let connection = network.connect(to: address)
        defer { network.close(connection) }
        var events: [ReadyEvent] = []
        network.poll(into: &events, milliseconds: -1)
        #expect(events.map(\.token) == [42])
        #expect(events.first?.readiness == .readable)
        events = []
        network.poll(into: &events, milliseconds: 0)
        #expect(events.isEmpty)
    }

    @Test func `reports room to send only to those who watch for it`() throws {
        let network = try SystemNetwork()
        let listener = network.listen(
            at: Address(bytes: [127, 0, 0, 1], port: 0),
            backlog: 1,
            shared: false
        )
        defer { network.close(listener) }
        let connection = network.connect(to: try #require(network.localAddress(of: listener)))
        defer { network.close(connection) }
        #expect(network.register(connection, token: 7, watchesRoom: false) == 0)
        var events: [ReadyEvent] = []
        network.poll(into: &events, milliseconds: 50)
        #expect(events.isEmpty)
        #expect(network.watchRoom(connection, token: 7) == 0)
        network.poll(into: &events, milliseconds: -1)
        #expect(events.map(\.token) == [7])
        #expect(events.first?.readiness == .writable)
    }

    @Test func `keeps back a connection until it brings bytes, and counts those that wait`() throws
    {
        let network = try SystemNetwork()
        let any = Address(bytes: [127, 0, 0, 1], port: 0)
        let listener = network.listen(at: any, backlog: 4, shared: true)
        defer { network.close(listener) }
        network.keepBackSilent(at: listener, true)
        let connection = network.connect(to: try #require(network.localAddress(of: listener)))
        defer { network.close(connection) }
        #expect(network.waiting(at: listener) == 0)
        let byte: [UInt8] = [1]
        while byte.withUnsafeBytes({ network.send(connection, from: $0) }) == -Int(EAGAIN) {}
        #expect(network.waiting(at: listener) == 1)
        var peer: Address?
        let accepted = network.accept(from: listener, peer: &peer)
        #expect(accepted >= 0)
        network.close(accepted)
        #expect(network.waiting(at: listener) == 0)
    }

    @Test func `shows silent connections at once when it is to keep none back any more`() throws {
        let network = try SystemNetwork()
        let any = Address(bytes: [127, 0, 0, 1], port: 0)
        let listener = network.listen(at: any, backlog: 4, shared: true)
        defer { network.close(listener) }
        network.keepBackSilent(at: listener, true)
        network.keepBackSilent(at: listener, false)
        let connection = network.connect(to: try #require(network.localAddress(of: listener)))
        defer { network.close(connection) }
        #expect(network.waiting(at: listener) == 1)
    }

    @Test func `says when an address is taken`() throws {
        let network = try SystemNetwork()
        let any = Address(bytes: [127, 0, 0, 1], port: 0)
        let listener = network.listen(at: any, backlog: 1, shared: false)
        defer { network.close(listener) }
        let address = try #require(network.localAddress(of: listener))
        #expect(network.listen(at: address, backlog: 1, shared: false) == -EADDRINUSE)
    }

    @Test func `refuses to register what is not open`() throws {
        #expect(try SystemNetwork().register(-1, token: 1, watchesRoom: false) == -EBADF)
    }

    @Test func `sends small pieces at once, also on connections it accepts`() throws {
        let network = try SystemNetwork()
        let any = Address(bytes: [127, 0, 0, 1], port: 0)
        let listener = network.listen(at: any, backlog: 1, shared: false)
        defer { network.close(listener) }
        let connection = network.connect(to: try #require(network.localAddress(of: listener)))
        defer { network.close(connection) }
        var peer: Address?
        var accepted = network.accept(from: listener, peer: &peer)
        while accepted == -EAGAIN { accepted = network.accept(from: listener, peer: &peer) }
        defer { network.close(accepted) }
        for descriptor in [connection, accepted] {
            var isOn: Int32 = 0
            var length = socklen_t(MemoryLayout<Int32>.size)
            let result = getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, &length)
            #expect(result == 0 && isOn != 0)
        }
    }
}
