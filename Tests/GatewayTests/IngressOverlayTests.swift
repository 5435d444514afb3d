import Configuration
import Testing

@testable import Gateway

@Suite struct `What Ingresses add` {
    private func pool(_ name: String, concurrency: Int = 1) -> Configuration.Pool {
        var pool = Configuration.Pool(name: name, source: .replicas([]))
        pool.settings.concurrency = concurrency
        return pool
    }

    @Test func `stands beside what the file says, and replaces nothing of it`() {
        var configuration = Configuration()
        configuration.pools = [pool("a")]
        configuration.routes = [.init(name: "r", pool: "a")]
        var overlay = IngressOverlay()
        overlay.pools = [pool("a", concurrency: 9), pool("b")]
        overlay.routes = [.init(name: "r", pool: "b"), .init(name: "s", pool: "b")]
        let sum = configuration.adding(overlay)
        #expect(sum.pools.map(\.name) == ["a", "b"])
        #expect(sum.pools.first?.settings.concurrency == 1)
        #expect(sum.routes.map(\.name) == ["r", "s"])
        #expect(sum.routes.map(\.pool) == ["a", "b"])
    }

    @Test func `may be nothing`() {
        var configuration = Configuration()
        configuration.pools = [pool("a")]
        #expect(configuration.adding(.none) == configuration)
    }
}
