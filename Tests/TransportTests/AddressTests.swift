import Testing

@testable import Transport

@Suite struct `Numeric address` {
    @Test(arguments: ["10.0.0.1:80", "127.0.0.1:0", "[::1]:65535", "[2001:db8::1]:443"])
    func `reads what it writes`(text: String) {
        #expect(Address(text)?.description == text)
    }

    @Test(arguments: [
        "", "10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0:80", "host:80",
        "::1:80", "[::1]", "[::g]:80", "10.0.0.1:8o", " 10.0.0.1:80", "010.0.0.1.5:80",
    ])
    func `refuses what is no numeric address with a port`(text: String) {
        #expect(Address(text) == nil)
    }

    @Test(arguments: ["10.1.2.3:8080", "[2001:db8::7]:9"])
    func `survives the kernel's form`(text: String) throws {
        let address = try #require(Address(text))
        #expect(Address(address.storage.0) == address)
    }

    @Test(arguments: [
        ("127.0.0.1:1", true), ("127.9.9.9:1", true), ("[::1]:1", true),
        ("10.0.0.1:1", false), ("[::2]:1", false), ("[fe80::1]:1", false), ("0.0.0.0:1", false),
    ])
    func `knows what only this machine can reach`(text: String, isLoopback: Bool) {
        #expect(Address(text)?.isLoopback == isLoopback)
    }

    @Test(arguments: [
        ("model:80", "model", 80), ("[::1]:7", "::1", 7), ("10.0.0.1:65535", "10.0.0.1", 65535),
    ])
    func `splits a host and its port`(text: String, host: String, port: Int) {
        let parts = Address.split(text)
        #expect(parts?.host == host)
        #expect(parts?.port == UInt16(port))
    }

    @Test(arguments: ["model", "model:", "model:x", "::1:7", "model:99999"])
    func `splits nothing that is not host and port`(text: String) {
        #expect(Address.split(text) == nil)
    }

    @Test func `differs by port`() {
        #expect(Address("10.0.0.1:1") != Address("10.0.0.1:2"))
    }

    @Test(arguments: ["0.0.0.0", "10.0.0.1", "127.100.9.255", "::1", "2001:db8::7"])
    func `writes its host as bytes, too`(host: String) throws {
        let address = try #require(Address(host, port: 1))
        #expect(String(decoding: address.hostBytes, as: UTF8.self) == host)
        #expect(address.host == host)
    }
}
