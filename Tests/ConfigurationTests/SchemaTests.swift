import Testing

@testable import Configuration

@Suite struct `Schema` {
    @Test func `starts without listeners, pools and routes`() {
        let configuration = Configuration()
        #expect(configuration.listeners.isEmpty)
        #expect(configuration.pools.isEmpty)
        #expect(configuration.routes.isEmpty)
    }
}
