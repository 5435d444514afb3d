import Balancing
import HTTPWire
import Testing
import Transport

@testable import Gateway

/// What one configuration decides for a request.
@Suite struct `Snapshot` {
    @Test(
        arguments: [
            ([10, 0, 0, 0], 8, [10, 255, 1, 2], true), ([10, 0, 0, 0], 8, [11, 0, 0, 0], false),
            ([10, 1, 2, 3], 32, [10, 1, 2, 3], true), ([10, 1, 2, 3], 32, [10, 1, 2, 4], false),
            ([0, 0, 0, 0], 0, [1, 2, 3, 4], true), ([172, 16, 0, 0], 12, [172, 31, 0, 1], true),
            ([172, 16, 0, 0], 12, [172, 32, 0, 1], false),
            ([10, 0, 0, 128], 25, [10, 0, 0, 200], true),
            ([10, 0, 0, 128], 25, [10, 0, 0, 127], false),
        ] as [([UInt8], Int, [UInt8], Bool)]
    )
    func `a range of addresses holds what shares its first bits`(
        bytes: [UInt8],
        length: Int,
        address: [UInt8],
        isIn: Bool
    ) {
        #expect(TrustedRange(bytes: bytes, prefixLength: length).contains(address) == isIn)
    }

    @Test func `a range holds addresses of its own kind only`() {
        let four = TrustedRange(bytes: [0, 0, 0, 0], prefixLength: 0)
        let six = TrustedRange(bytes: [UInt8](repeating: 0, count: 16), prefixLength: 0)
        #expect(!four.contains([UInt8](repeating: 0, count: 16)))
        #expect(!six.contains([0, 0, 0, 0]))
        #expect(six.contains([UInt8](repeating: 9, count: 16)))
    }

    @Test func `nobody is trusted by default, nor is an unknown address`() {
        var settings = GatewaySettings()
        let local = Address(bytes: [127, 0, 0, 1], port: 1)
        #expect(!settings.trusts(local))
        settings.trusted = [TrustedRange(bytes: [0, 0, 0, 0], prefixLength: 0)]
        #expect(settings.trusts(local))
        #expect(!settings.trusts(nil))
    }

    /// The key of a request.
    private func key(
        _ affinity: AffinityKey,
        _ fields: String = "",
        target: String = "/p?q",
        client: String = "10.0.0.1"
    ) throws -> UInt64? {
        var parser = RequestParser()
        var table = FieldTable(capacity: 16)
        let bytes = "GET \(target) HTTP/1.1\nHost: a\n\(fields)\n".wire.bytes
        let head = try #require(try parser.parse(bytes.span, into: &table))
        return affinity.key(of: head, bytes.span, table, client: client.bytes)
    }

    private func hash(_ text: String) -> UInt64 { AffinityHash.key(of: text) }

    @Test func `a field's value is a key, whatever the case of its name`() throws {
        let affinity = AffinityKey.header("x-user".bytes)
        #expect(try key(affinity, "X-User: anna\n") == hash("anna"))
        #expect(try key(affinity, "X-Users: anna\n") == nil)
        #expect(try key(affinity, "X-User: anna\nX-User: bert\n") == hash("anna"))
    }

    @Test(arguments: [
        ("Cookie: user=anna\n", "anna"), ("Cookie: a=1; user=anna; b=2\n", "anna"),
        ("Cookie: a=1\nCookie: user=anna\n", "anna"), ("Cookie: user=\n", ""),
        ("Cookie: user=a=b\n", "a=b"), ("Cookie: users=1;user=anna\n", "anna"),
        ("Cookie:  user=anna\n", "anna"),
    ])
    func `a cookie's value is a key`(fields: String, value: String) throws {
        #expect(try key(.cookie("user".bytes), fields) == hash(value))
    }

    @Test(arguments: [
        "", "Cookie: User=anna\n", "Cookie: users=anna\n", "Cookie: user\n", "Cookie: ;;\n",
        "X-Cookie: user=anna\n", "Cookie: a=user=anna\n",
    ])
    func `without the cookie there is no key`(fields: String) throws {
        #expect(try key(.cookie("user".bytes), fields) == nil)
    }

    @Test func `a path is a key without its query`() throws {
        #expect(try key(.path, target: "/p?q") == hash("/p"))
        #expect(try key(.path, target: "/p?r") == hash("/p"))
        #expect(try key(.path, target: "/o") != hash("/p"))
    }

    @Test func `a client's address is a key`() throws {
        #expect(try key(.clientAddress, client: "10.0.0.9") == hash("10.0.0.9"))
    }

    @Test func `a pool is found by its name`() throws {
        let stage = try Stage()
        #expect(stage.gateway.snapshot.pool(named: "m") === stage.pool)
        #expect(stage.gateway.snapshot.pool(named: "M") == nil)
        #expect(stage.gateway.snapshot.generation == 1)
    }
}
