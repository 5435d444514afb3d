import Testing

@testable import Balancing

@Suite struct `Wait queue` {
    private func waiter(
        _ priority: Int = 0,
        isRetry: Bool = false,
        deadline: Int = 100,
        bytes: Int = 0
    ) -> Waiter {
        let arrival = Arrival(
            deadline: start + .seconds(deadline),
            priority: priority,
            bytes: bytes,
            isRetry: isRetry
        )
        return Waiter(arrival, arrivedAt: start)
    }

    private func order(_ queue: WaitQueue) -> [WaiterID] {
        var order: [WaiterID] = []
        var next = queue.first
        while let id = next {
            order.append(id)
            next = queue.following(id)
        }
        return order
    }

    @Test func `serves first come first`() {
        var queue = WaitQueue()
        let ids = (0..<5).map { _ in queue.insert(waiter()) }
        #expect(order(queue) == ids)
    }

    @Test func `serves higher priorities first`() {
        var queue = WaitQueue()
        let ids = [1, -3, 7, 1, 7].map { queue.insert(waiter($0)) }
        #expect(order(queue) == [ids[2], ids[4], ids[0], ids[3], ids[1]])
    }

    @Test func `serves further attempts before first ones of their priority`() {
        var queue = WaitQueue()
        let plain = queue.insert(waiter())
        let retry = queue.insert(waiter(isRetry: true))
        let urgent = queue.insert(waiter(1))
        #expect(order(queue) == [urgent, retry, plain])
    }

    @Test func `gives a waiter back once`() {
        var queue = WaitQueue()
        let id = queue.insert(waiter())
        #expect(queue.remove(id) != nil)
        #expect(queue.remove(id) == nil)
    }

    @Test func `never confuses a new waiter with an old one`() {
        var queue = WaitQueue()
        let old = queue.insert(waiter())
        _ = queue.remove(old)
        let new = queue.insert(waiter())
        #expect(old != new)
        #expect(queue[old] == nil)
        #expect(queue.remove(old) == nil)
        #expect(queue.count == 1)
    }

    @Test func `knows nothing of ids it never gave`() {
        #expect(WaitQueue()[WaiterID(raw: 12)] == nil)
    }

    @Test func `counts those ahead of a newcomer`() {
        var queue = WaitQueue()
        for priority in [2, 1, 1, 0] { _ = queue.insert(waiter(priority)) }
        #expect(queue.ahead(of: Waiter.Rank(priority: 1, isRetry: false)) == 3)
        #expect(queue.ahead(of: Waiter.Rank(priority: 1, isRetry: true)) == 1)
        #expect(queue.ahead(of: Waiter.Rank(priority: -1, isRetry: false)) == 4)
    }

    @Test func `counts the bytes of those who wait`() {
        var queue = WaitQueue()
        let id = queue.insert(waiter(bytes: 100))
        _ = queue.insert(waiter(bytes: 11))
        _ = queue.remove(id)
        #expect(queue.bytes == 11)
    }

    @Test func `takes bytes below zero for none`() {
        var queue = WaitQueue()
        _ = queue.insert(waiter(bytes: -5))
        #expect(queue.bytes == 0)
    }

    @Test func `keeps its word on every order over thousands of random steps`() throws {
        var random = SeededRandom(seed: 11)
        var queue = WaitQueue()
        var standing: [(id: WaiterID, waiter: Waiter)] = []
        for step in 0..<3_000 {
            if standing.isEmpty || Int.random(in: 0..<100, using: &random) < 52 {
                let new = waiter(
                    Int.random(in: -2...2, using: &random),
                    isRetry: Bool.random(using: &random),
                    deadline: Int.random(in: 0..<1_000, using: &random),
                    bytes: Int.random(in: 0..<9, using: &random)
                )
                standing.append((queue.insert(new), new))
            } else {
                let index = Int.random(in: standing.indices, using: &random)
                let removed = queue.remove(standing[index].id)
                try #require(removed != nil)
                standing.remove(at: index)
            }
            #expect(queue.count == standing.count)
            #expect(queue.oldest == standing.first?.id)
            #expect(queue.bytes == standing.reduce(0) { $0 + $1.waiter.bytes })
            let deadline = queue.mostUrgent.flatMap { queue[$0]?.arrival.deadline }
            #expect(deadline == standing.map(\.waiter.arrival.deadline).min())
            guard step.isMultiple(of: 50) else { continue }
            let expected = standing.enumerated().sorted {
                $0.element.waiter.rank == $1.element.waiter.rank
                    ? $0.offset < $1.offset : $0.element.waiter.rank > $1.element.waiter.rank
            }
            #expect(order(queue) == expected.map(\.element.id))
        }
    }
}
