import Dispatch
import Testing

@testable import sluice

@Suite struct `Orders to the main thread` {
    @Test func `come in the order they were given`() {
        let orders = Orders()
        orders.put(.reload { _ in })
        orders.put(.over)
        guard case .reload = orders.next() else { Issue.record("not first"); return }
        guard case .over = orders.next() else { Issue.record("not second"); return }
    }

    @Test func `may not come in time`() {
        #expect(Orders().next(within: .milliseconds(1)) == nil)
    }

    @Test func `are refused when too many wait`() {
        let orders = Orders()
        for _ in 0..<64 { #expect(orders.put(.reload { _ in })) }
        #expect(!orders.put(.reload { _ in }))
    }

    @Test func `the end is taken even then`() {
        let orders = Orders()
        for _ in 0..<64 { orders.put(.reload { _ in }) }
        #expect(orders.put(.over))
    }
}
