import Testing

@testable import Configuration

@Suite struct `Schema of the gateway` {
    @Test func `starts without listeners, pools and routes`() {
        let configuration = Configuration()
        #expect(configuration.listeners.isEmpty)
        #expect(configuration.pools.isEmpty)
        #expect(configuration.routes.isEmpty)
    }
}
