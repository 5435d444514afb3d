import Testing

@testable import Configuration

@Suite struct `Settings of Kubernetes` {
    private func text(_ top: String, pool: String = "replicas: []") -> String {
        """
        { listeners: [{ address: "127.0.0.1:0" }], \(top)
          pools: { a: { \(pool) } }, routes: [{ pool: "a" }] }
        """
    }

    @Test(arguments: [
        "https://10.0.0.1:6443", "http://127.0.0.1:8001", "https://api.example.com/k8s/one",
        "https://[fd00::1]:6443", "https://[fd00::1]",
    ])
    func `the address of the API is a URL`(url: String) {
        #expect(isAPIURL(url))
    }

    @Test(arguments: [
        "", "10.0.0.1:6443", "ftp://a", "https://", "https:///x", "https://a:0", "https://a b",
        "https://u@a", "https://a?b", "https://a/b?c",
    ])
    func `anything else is refused`(url: String) {
        #expect(!isAPIURL(url))
    }

    @Test func `a pod needs no settings`() throws {
        let configuration = try #require(load(text("")).configuration)
        #expect(configuration.kubernetes == Configuration.KubernetesAPI())
        #expect(configuration.kubernetes.url == nil)
    }

    @Test func `each setting is read`() throws {
        let top = "kubernetes: { api: 'http://127.0.0.1:8001', tokenFile: '/t', caFile: '/c' },"
        let api = try #require(load(text(top)).configuration).kubernetes
        #expect(api.url == "http://127.0.0.1:8001")
        #expect(api.tokenFile == "/t")
        #expect(api.authorityFile == "/c")
        let auto = try #require(load(text("kubernetes: { api: 'auto' },")).configuration)
        #expect(auto.kubernetes.url == nil)
    }

    @Test func `gateways that ask each other need an admin address that others reach`() throws {
        let messages = messages(load(text("peers: 'sluice-peers',")))
        #expect(messages.count == 1)
        #expect(messages.first?.hasPrefix("`peers` cannot be asked") == true)
        let top = "peers: 'Sluice-peers', admin: { address: '0.0.0.0:9900', token: 'x' },"
        #expect(try #require(load(text(top)).configuration).peers == "sluice-peers")
        #expect(load(text("peers: 'a b',")).configuration == nil)
        #expect(try #require(load(text("peers: 'none',")).configuration).peers == nil)
    }

    @Test func `external metrics have an address of their own`() throws {
        let plain = try #require(load(text("")).configuration)
        #expect(plain.externalMetrics == nil)
        let standard = try #require(load(text("externalMetrics: {},")).configuration)
        #expect(standard.externalMetrics == Address(host: "0.0.0.0", port: 6443))
        let off = "externalMetrics: { address: 'none' },"
        #expect(try #require(load(text(off)).configuration).externalMetrics == nil)
        let other = "externalMetrics: { address: '[::]:443' },"
        #expect(load(text(other)).configuration?.externalMetrics?.port == 443)
        let taken = messages(load(text("externalMetrics: { address: '0.0.0.0:9900' },")))
        #expect(taken == ["the address 0.0.0.0:9900 is also a listener's or the admin's"])
    }

    @Test(arguments: [
        ("8000", Configuration.Kubernetes.Port.number(8000)),
        ("'8000'", .number(8000)),
        ("'http'", .name("http")),
        ("'grpc-web'", .name("grpc-web")),
    ])
    func `a port is a number or a name`(
        written: String,
        port: Configuration.Kubernetes.Port
    ) throws {
        let pool = "kubernetes: { service: 's', port: \(written) }"
        let configuration = try #require(load(text("", pool: pool)).configuration)
        var expected = Configuration.Kubernetes(service: "s", port: port)
        expected.namespace = "default"
        #expect(configuration.pools.first?.source == .kubernetes(expected))
    }

    @Test(arguments: ["0", "65536", "'65536'", "'Http'", "''", "true", "'a_b'"])
    func `no other port is taken`(written: String) {
        let pool = "kubernetes: { service: 's', port: \(written) }"
        #expect(load(text("", pool: pool)).configuration == nil)
    }
}
