// The defaults of routes are those of the design.
import Testing

@testable import Configuration

@Suite struct `Schema of routes` {
    private let route = Configuration.Route(name: "a", pool: "b")

    @Test func `takes every request unless told otherwise`() {
        #expect(route.host == .any)
        #expect(route.path == .prefix("/"))
        #expect(route.methods.isEmpty)
        #expect(route.headers.isEmpty)
    }

    @Test func `changes nothing on the way`() {
        #expect(route.rewrite == .keep)
        #expect(!route.idempotent)
    }

    @Test func `lets WebSocket through, nothing else`() {
        #expect(route.upgrades == ["websocket"])
    }
}
