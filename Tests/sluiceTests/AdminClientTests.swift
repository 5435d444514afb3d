import Testing

@testable import sluice

@Suite struct `Admin client` {
    @Test func `takes an answer apart`() throws {
        let answer = try AdminAnswer(
            parsing: Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi".utf8)
        )
        #expect(answer.status == 200 && answer.text == "hi")
    }

    @Test(arguments: [
        "", "HTTP/1.1 200 OK\r\n", "SSH-2.0-OpenSSH\r\n\r\n", "HTTP/1.1 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi",
    ])
    func `refuses what is no whole answer`(text: String) {
        #expect(throws: AdminError.self) { try AdminAnswer(parsing: Array(text.utf8)) }
    }

    @Test(arguments: [("", ""), (" \r\n", ""), ("a", "a"), (" \ta b\r\n\n", "a b")])
    func `leaves blanks and line ends out`(text: String, rest: String) {
        #expect(text.withoutBlanksAround == rest)
        #expect(text[...].withoutBlanksAround == rest)
    }

    @Test func `tells a problem's detail`() throws {
        let answer = try AdminAnswer(
            parsing: Array("HTTP/1.1 404 No\r\n\r\n{\"status\":404,\"detail\":\"no pool\"}".utf8)
        )
        #expect(answer.problem == "no pool")
    }

    @Test func `tells what else was said as it is`() throws {
        let answer = try AdminAnswer(parsing: Array("HTTP/1.1 500 No\r\n\r\noops\n".utf8))
        #expect(answer.problem == "status 500: oops")
    }

    @Test func `says that nothing listens`() {
        // Port 1 of the loopback: nobody's.
        let client = AdminClient(address: "127.0.0.1:1", token: nil)
        let error = #expect(throws: AdminError.self) { try client.send("GET", "/live") }
        #expect(error?.text.hasPrefix("nothing listens at 127.0.0.1:1: ") == true)
    }

    @Test(arguments: ["", "localhost", ":9900", "127.0.0.1:x"])
    func `says that an address is none`(address: String) {
        let client = AdminClient(address: address, token: nil)
        let error = #expect(throws: AdminError.self) { try client.send("GET", "/live") }
        #expect(error?.text.hasPrefix("expected an address such as ") == true)
    }

    @Test(arguments: ["a b", "a\r\nHost: b", "ä"])
    func `sends no token that would break the request`(token: String) {
        let client = AdminClient(address: "127.0.0.1:1", token: token)
        let error = #expect(throws: AdminError.self) { try client.send("GET", "/live") }
        #expect(error?.text == "a token has no blanks and no line ends")
    }
}
