// Addresses and ranges: what is read, how it is written, what lies inside.
import Testing

@testable import Configuration

@Suite struct `Addresses` {
    @Test(
        arguments: [
            ("10.0.0.1", [10, 0, 0, 1]), ("0.0.0.0", [0, 0, 0, 0]),
            ("255.255.255.255", [255, 255, 255, 255]),
        ] as [(String, [UInt8])]
    )
    func `read IPv4`(_ text: String, _ bytes: [UInt8]) {
        #expect(parseIP(text) == bytes)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1..2.3", "1.2.3.4 ", "a.b.c.d",
        "1.2.3.-4", "+1.2.3.4", "١.2.3.4",
    ])
    func `refuse what is not quite IPv4`(_ text: String) {
        #expect(parseIP(text) == nil)
    }

    @Test(arguments: [
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("2001:DB8::1", "2001:db8::1"),
        ("2001:db8:0:0:0:0:0:1", "2001:db8::1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"),
        ("::ffff:10.0.0.1", "::ffff:a00:1"), ("64:ff9b::1.2.3.4", "64:ff9b::102:304"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ])
    func `read IPv6 and write its recommended form`(_ text: String, _ written: String) {
        #expect(AddressRange(parsing: text)?.description == written)
    }

    @Test(arguments: [
        ":", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::", "::1.2.3",
        "1.2.3.4::", "1:2:3:4:5:6:7::8", ":1", "1:", "::1%eth0", "[::1]",
    ])
    func `refuse what is not quite IPv6`(_ text: String) {
        #expect(parseIP(text) == nil)
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("localhost", true),
        ("0.0.0.0", false), ("10.0.0.1", false), ("::", false), ("example.com", false),
        ("::ffff:127.0.0.1", true),
    ])
    func `know what only this machine reaches`(_ host: String, _ loopback: Bool) {
        #expect(Address(host: host, port: 1).isLoopback == loopback)
    }

    @Test func `put brackets around IPv6`() {
        #expect(Address(host: "::1", port: 80).description == "[::1]:80")
        #expect(Address(host: "10.0.0.1", port: 80).description == "10.0.0.1:80")
    }
}

@Suite struct `Address ranges` {
    @Test(
        arguments: [
            ("10.0.0.0/8", [10, 1, 2, 3], true), ("10.0.0.0/8", [11, 0, 0, 0], false),
            ("10.0.0.128/25", [10, 0, 0, 127], false), ("10.0.0.128/25", [10, 0, 0, 255], true),
            ("10.0.0.1", [10, 0, 0, 1], true), ("10.0.0.1", [10, 0, 0, 2], false),
            ("0.0.0.0/0", [1, 2, 3, 4], true),
            ("0.0.0.0/0", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], false),
            ("::/0", [1, 2, 3, 4], false),
            ("10.0.0.0/8", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 10, 1, 1, 1], true),
            ("::1", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1], true),
            ("10.0.0.0/8", [], false), ("10.0.0.0/8", [10, 0], false),
        ] as [(String, [UInt8], Bool)]
    )
    func `contain what begins alike`(_ range: String, _ address: [UInt8], _ inside: Bool) throws {
        #expect(try #require(AddressRange(parsing: range)).contains(address) == inside)
    }

    @Test func `forget the bits after the prefix`() {
        #expect(AddressRange(parsing: "10.1.2.3/8")?.description == "10.0.0.0/8")
    }

    @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/", "/8", "10.0.0.0/8/8", "10.0.0.0/-1"])
    func `refuse prefixes that do not fit`(_ text: String) {
        #expect(AddressRange(parsing: text) == nil)
    }
}
