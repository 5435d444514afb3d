import Simulation
import Testing

@testable import Gateway

@Suite struct `Redirecting` {
    private func stage(port: Int = 443) throws -> Stage {
        var settings = Stage.Settings()
        settings.listener = "redirect: \(port)"
        return try Stage(settings)
    }

    @Test(arguments: [
        ("GET /a/b?c=d HTTP/1.1\nHost: example.com", "https://example.com/a/b?c=d"),
        ("GET / HTTP/1.1\nHost: example.com:8080", "https://example.com/"),
        ("GET / HTTP/1.1\nHost: [::1]:80", "https://[::1]/"),
        ("GET / HTTP/1.1\nHost: [::1]", "https://[::1]/"),
        ("GET http://other.example/x HTTP/1.1\nHost: a", "https://other.example/x"),
        ("GET http://other.example?q HTTP/1.1\nHost: a", "https://other.example/?q"),
        ("OPTIONS * HTTP/1.1\nHost: a", "https://a/"),
        ("HEAD /x HTTP/1.0\nHost: a", "https://a/x"),
    ])
    func `leads to the same place`(request: String, location: String) throws {
        let answer = try stage().ask(request + "\n\n")
        #expect(answer.status == 308)
        #expect(answer.head.value("Location") == location)
        #expect(answer.body.isEmpty)
    }

    @Test func `names the port unless it is the usual one`() throws {
        let answer = try stage(port: 8443).ask("GET /x HTTP/1.1\nHost: a:80\n\n")
        #expect(answer.head.value("Location") == "https://a:8443/x")
    }

    @Test func `keeps the connection, but hears no body out`() throws {
        let stage = try stage()
        let client = stage.client()
        client.send("GET /1 HTTP/1.1\nHost: a\n\n")
        client.send("GET /2 HTTP/1.1\nHost: a\n\n")
        client.send("POST /3 HTTP/1.1\nHost: a\nContent-Length: 10\n\nabc")
        stage.run { client.answers.count == 3 && client.hasEnded }
        #expect(client.answers.map(\.status) == [308, 308, 308])
        #expect(client.answers.last?.head.value("Connection") == "close")
        #expect(client.hasEnded)
    }

    @Test func `knows no place without a host`() throws {
        #expect(try stage().ask("GET / HTTP/1.0\n\n").status == 400)
    }

    @Test func `sends nothing on`() throws {
        let stage = try stage()
        try stage.ask("GET / HTTP/1.1\nHost: a\n\n")
        #expect(try stage.ask("CONNECT a:443 HTTP/1.1\nHost: a:443\n\n").status == 501)
        #expect(stage.replica.requests.isEmpty)
    }
}
