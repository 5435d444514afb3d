// The forms of a request target and of a host (RFC 9112 §3.2).

import Testing

@testable import HTTPWire

@Suite struct `Request target` {
    // RFC 9112 §3.2.1 to §3.2.4.
    @Test(arguments: [
        ("GET", "/", TargetForm.origin, "/"),
        ("GET", "/a/b;c=d", .origin, "/a/b;c=d"),
        ("GET", "//a", .origin, "//a"),
        ("GET", "/%00", .origin, "/%00"),
        ("GET", "/?", .origin, "/"),
        ("GET", "/../a", .origin, "/../a"),
        ("POST", "http://b", .absolute, ""),
        ("POST", "HTTP://b/c", .absolute, "/c"),
        ("POST", "https://b:1/c?d", .absolute, "/c"),
        ("POST", "http://[::1]:1?d", .absolute, ""),
        ("OPTIONS", "*", .asterisk, "*"),
        ("OPTIONS", "/", .origin, "/"),
        ("CONNECT", "b:443", .authority, ""),
        ("CONNECT", "[::1]:443", .authority, ""),
    ])
    func `has one of four forms`(
        method: String,
        target: String,
        form: TargetForm,
        path: String
    ) throws {
        let bytes = head("\(method) \(target) HTTP/1.1", "Host: a")
        let head = try #require(request(bytes).head)
        #expect(head.targetForm == form)
        #expect(text(bytes, head.target) == target)
        #expect(text(bytes, head.path) == path)
    }

    @Test(arguments: [
        ("GET", "*"), ("GET", "a"), ("GET", "a/b"), ("GET", "?a"), ("GET", "a:80"),
        ("GET", "ftp://a/"), ("GET", "http:///"), ("GET", "http://"), ("GET", "http:/a"),
        ("GET", "http://u@a/"), ("GET", "http://a:b/"), ("GET", "http://a:99999/"),
        ("GET", "http://?a"), ("GET", "https:/"), ("GET", "http://a%zz/"),
        ("OPTIONS", "**"), ("OPTIONS", "*?a"), ("POST", "*"),
        ("CONNECT", "/"), ("CONNECT", "a"), ("CONNECT", "a:"), ("CONNECT", "http://a:1/"),
        ("CONNECT", "a:1/x"), ("CONNECT", "*"), ("CONNECT", "a:1?x"), ("CONNECT", ":1"),
    ])
    func `is refused in any other form, or for another method`(method: String, target: String) {
        #expect(request("\(method) \(target) HTTP/1.1", "Host: a").fault == .badTarget)
    }

    // RFC 3986 §3.2.2, RFC 9110 §4.2.1.
    @Test(arguments: [
        ("a", true), ("a:1", true), ("a:", true), ("a:65535", true), ("1.2.3.4", true),
        ("a%2e", true), ("[::1]", true), ("[v1.x]:5", true), ("a.b-c_d~", true),
        ("", false), (":1", false), ("a:65536", false), ("a:123456", false), ("a:-1", false),
        ("a%2", false), ("a%", false), ("[]", false), ("[::1", false), ("::1", false),
        ("[::1]x", false), ("[a%25b]", false), ("a\u{e9}", false), ("a/b", false), ("a\\b", false),
    ])
    func `names a host in one way`(host: String, isValid: Bool) {
        #expect(Array(host.utf8).span.isAuthority(needsPort: false) == isValid)
    }

    @Test(arguments: [("a:1", true), ("a", false), ("a:", false), ("[::1]", false)])
    func `names a port where one is needed`(host: String, isValid: Bool) {
        #expect(Array(host.utf8).span.isAuthority(needsPort: true) == isValid)
    }
}
