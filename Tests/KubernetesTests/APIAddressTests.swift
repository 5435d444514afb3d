import Testing

@testable import Kubernetes

@Suite struct `Address of the API` {
    @Test(arguments: [
        ("https://10.0.0.1:6443", true, "10.0.0.1", 6443, "", "10.0.0.1:6443"),
        ("https://api.example.com", true, "api.example.com", 443, "", "api.example.com"),
        ("http://127.0.0.1:8001/", false, "127.0.0.1", 8001, "", "127.0.0.1:8001"),
        ("http://proxy/k8s/one/", false, "proxy", 80, "/k8s/one", "proxy"),
        ("https://[fd00::1]:6443", true, "fd00::1", 6443, "", "[fd00::1]:6443"),
        ("https://[fd00::1]", true, "fd00::1", 443, "", "[fd00::1]"),
    ])
    func `a URL is read`(
        url: String,
        isSecure: Bool,
        host: String,
        port: UInt16,
        prefix: String,
        authority: String
    ) throws {
        let address = try #require(APIAddress(url: url))
        #expect(address.isSecure == isSecure)
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.prefix == prefix)
        #expect(address.authority == authority)
    }

    @Test(arguments: [
        "", "10.0.0.1:6443", "ftp://a", "http:/a", "https://", "https://:443", "https://a:0",
        "https://a:70000", "https://a:x", "https://[::1", "https://[::1]x", "http://a/b?c",
        "http://user@a", "http://a/b#c", "http://a b/",
    ])
    func `what is no URL of an API is refused`(url: String) {
        #expect(APIAddress(url: url) == nil)
    }

    @Test func `a pod finds it in its environment`() throws {
        let environment = [
            "KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "443",
        ]
        let address = try #require(APIAddress(environment: environment))
        #expect("\(address)" == "https://10.96.0.1")
        #expect(APIAddress(environment: [:]) == nil)
        #expect(APIAddress(environment: ["KUBERNETES_SERVICE_HOST": ""]) == nil)
        let six = ["KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "6443"]
        #expect(APIAddress(environment: six)?.authority == "[fd00::1]:6443")
    }

    @Test func `a token stands alone in its file`() {
        #expect(ServiceAccount.token(in: Array("abc.def-_~\n".utf8)) == "abc.def-_~")
        #expect(ServiceAccount.token(in: Array(" \r\n".utf8)) == nil)
        #expect(ServiceAccount.token(in: Array("a\r\nX-Evil: 1".utf8)) == nil)
        #expect(ServiceAccount.token(in: [UInt8](repeating: 0x61, count: 20_000)) == nil)
    }
}
