// Names of hosts, pools, fields and methods, and addresses with ports.
import Testing

@testable import Configuration

@Suite struct `Names` {
    @Test(arguments: [
        ("10.0.0.1:5000", "10.0.0.1", 5000), ("[::1]:80", "::1", 80),
        ("[2001:DB8:0::1]:80", "2001:db8::1", 80), ("Model.Internal:1", "model.internal", 1),
        ("localhost:0", "localhost", 0), ("a_b:65535", "a_b", 65535), ("m.:1", "m.", 1),
    ])
    func `of endpoints are read`(_ text: String, _ host: String, _ port: Int) throws {
        #expect(try parseAddress(text) == Address(host: host, port: port))
    }

    @Test(
        arguments: [
            ("", .noPort), ("host", .noPort), ("[::1]", .noPort), (":80", .noHost),
            ("::1:80", .noBrackets), ("http://a:80", .scheme), ("a:80/x", .scheme),
            ("a:", .badPort), ("a:65536", .badPort), ("a:-1", .badPort), ("a:8o", .badPort),
            ("[::g]:80", .badHost), ("[10.0.0.1]:80", .badHost), ("10.0.0.256:80", .badHost),
            ("-a:80", .badHost), ("a b:80", .badHost), ("1.2.3:80", .badHost), ("é:80", .badHost),
        ] as [(String, AddressError)]
    )
    func `of endpoints are refused when in doubt`(_ text: String, _ error: AddressError) {
        #expect(throws: error) { try parseAddress(text) }
    }

    @Test(arguments: [
        ("model", true), ("model.internal", true), ("model.internal.", true), ("a-b.c_d", true),
        ("x1", true), ("", false), (".", false), ("a..b", false), ("-a", false), ("a-", false),
        ("1.2.3.4", false), ("42", false), ("a b", false),
        (String(repeating: "a", count: 64), false),
    ])
    func `of hosts`(_ text: String, _ right: Bool) {
        #expect(isHostName(text) == right)
    }

    @Test(arguments: [
        ("sales", true), ("v2.sales_next-1", true), ("9", true), ("", false), ("-a", false),
        ("a b", false), ("a/b", false), ("é", false), (String(repeating: "a", count: 65), false),
    ])
    func `of pools`(_ text: String, _ right: Bool) {
        #expect(isPoolName(text) == right)
    }

    @Test(arguments: [
        ("/", true), ("/a/b%20c", true), ("/a:b@c", true), ("", false), ("a", false),
        ("/a b", false), ("/a?b", false), ("/a#b", false), ("/é", false),
    ])
    func `of paths`(_ text: String, _ right: Bool) {
        #expect(isPath(text) == right)
    }

    @Test(arguments: [
        ("X-Model", true), ("a!#$%&'*+-.^_`|~1", true), ("", false), ("a b", false), ("a:", false),
        ("a/b", false), ("é", false),
    ])
    func `of fields are tokens`(_ text: String, _ right: Bool) {
        #expect(isToken(text) == right)
    }
}
