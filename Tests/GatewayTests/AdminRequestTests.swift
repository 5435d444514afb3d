import HTTPWire
import Testing

@testable import Gateway

@Suite struct `Admin request` {
    @Test(arguments: [
        ("a=1&b=2", ["a": "1", "b": "2"]),
        ("replica=10.0.0.1%3A5000", ["replica": "10.0.0.1:5000"]),
        ("a=x+y%20z", ["a": "x y z"]),
        ("a=%zz&b=%4", ["a": "%zz", "b": "%4"]),
        ("a&b=&=c", ["a": "", "b": "", "": "c"]),
        ("a=1&a=2", ["a": "2"]),
        ("a=b=c", ["a": "b=c"]),
        ("&&", [:]),
        ("", [:]),
    ])
    func `takes a query apart`(query: String, parameters: [String: String]) {
        #expect(AdminRequest.parameters(of: Array(query.utf8)) == parameters)
    }

    /// RFC 6750 §2.1; the scheme's case does not matter (RFC 9110 §11.1).
    @Test(arguments: [
        ("Bearer abc", "abc"), ("bearer  abc", "abc"), ("BEARER a b", "a b"),
        ("Basic abc", nil), ("Bearer", nil), ("", nil),
    ])
    func `takes the bearer's token`(value: String, token: String?) {
        let found = AdminRequest.token(in: Array(value.utf8))
        #expect(found == token.map { Array($0.utf8) })
    }

    @Test(arguments: [
        ("secret", true), ("secre", false), ("secrets", false), ("Secret", false), ("", false),
    ])
    func `compares whole tokens`(given: String, isRight: Bool) throws {
        let request = try parse(
            "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(given)\r\n\r\n"
        )
        #expect(request.hasToken("secret") == isRight)
    }

    @Test func `lacks a token when none is given`() throws {
        #expect(try !parse("GET / HTTP/1.1\r\nHost: a\r\n\r\n").hasToken("secret"))
    }

    @Test func `knows path, query and method`() throws {
        let request = try parse("POST /drain?pool=p HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(request.method == .post)
        #expect(request.path == "/drain")
        #expect(request.query == ["pool": "p"])
    }

    @Test(arguments: [("Origin: null\r\n", true), ("origin: http://a\r\n", true), ("", false)])
    func `knows that a web page sent it`(field: String, isFromWebPage: Bool) throws {
        let request = try parse("GET / HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
        #expect(request.isFromWebPage == isFromWebPage)
    }

    private func parse(_ text: String) throws -> AdminRequest {
        let bytes = Array(text.utf8)
        var parser = RequestParser(limits: Limits())
        var fields = FieldTable(capacity: 16)
        let head = try #require(try parser.parse(bytes.span, into: &fields))
        return AdminRequest(head, of: bytes.span, fields)
    }
}
