import Testing

@testable import Configuration

@Suite struct `Ingress settings` {
    private func load(_ ingress: String, _ rest: String = "") -> LoadedConfiguration {
        Configuration.load(
            text: "{ listeners: [{ address: \"0.0.0.0:8080\" }], ingress: \(ingress), \(rest) }",
            file: "test.json5",
            environment: [:]
        )
    }

    @Test func `a class is enough, and https is served`() throws {
        let configuration = try #require(load("{ class: 'sluice' }").configuration)
        #expect(configuration.ingress == Configuration.Ingress(className: "sluice"))
        let https = try #require(configuration.listeners.last)
        #expect(https.address == Address(host: "0.0.0.0", port: 8443))
        #expect(https.tls == Configuration.TLS(nil))
        #expect(https.tls?.certificates == [])
        #expect(configuration.pools == [] && configuration.routes == [])
    }

    @Test func `each setting is read`() throws {
        let text = "{ class: 'a.b', namespaces: ['x', 'y'], publish: 'n/s', https: 'off' }"
        let configuration = try #require(load(text).configuration)
        var expected = Configuration.Ingress(className: "a.b")
        expected.namespaces = ["x", "y"]
        expected.publish = "n/s"
        expected.https = nil
        #expect(configuration.ingress == expected)
        #expect(configuration.listeners.count == 1)
    }

    @Test func `an https listener of the file stays as it is`() throws {
        let text = "{ class: 'sluice', https: '0.0.0.0:8080' }"
        let configuration = try #require(load(text).configuration)
        #expect(configuration.listeners.count == 1)
        #expect(configuration.listeners.first?.tls == nil)
    }

    @Test func `pools that are not the file's start from its defaults`() throws {
        let configuration = load("{ class: 'sluice' }", "defaults: { concurrency: 7 }")
        #expect(configuration.configuration?.defaults.concurrency == 7)
    }

    @Test(arguments: [
        "{}", "{ class: 'A' }", "{ class: '' }", "{ class: 'a', namespaces: ['A'] }",
        "{ class: 'a', publish: 'x' }", "{ class: 'a', publish: 'x/y/z' }", "'sluice'",
    ])
    func `anything else is refused`(ingress: String) {
        #expect(load(ingress).configuration == nil)
    }
}
