import Balancing
import Certificates
import Simulation
import Testing
import Transport

@testable import Gateway

@Suite struct `TLS to replicas` {
    private let request = "GET / HTTP/1.1\nHost: a\nConnection: close\n\n"
    private let whole = "HTTP/1.1 200 OK\nContent-Length: 2\nConnection: close\n\nok"

    /// A stage whose only replica speaks TLS; the scripted one stands aside.
    private func stage(
        _ pool: String = "",
        answer: String? = nil,
        saysGoodbye: Bool = true,
        clients: TLSClientAuth? = nil,
        health: String = ""
    ) throws -> Stage {
        var settings = Stage.Settings()
        settings.pool = try Signed.pool(pool) + health
        settings.replicas = 1
        let stage = try Stage(settings)
        stage.replica.refuse()
        let server = try TLSServer(
            [Signed.certificate(Signed.replica.get())],
            clients: clients,
            tickets: TLSTickets()
        )
        stage.secureReplica(server, answer: answer ?? whole, saysGoodbye: saysGoodbye)
        stage.pass(.seconds(10))
        return stage
    }

    @Test(arguments: ["", #"serverName: "model.example","#, #"serverName: "10.1.0.1","#])
    func `a replica that proves who it is gets requests`(pool: String) throws {
        let stage = try stage(pool)
        #expect(try stage.ask(request).text == "ok")
    }

    @Test func `one of another name gets none, and the log says why`() throws {
        let stage = try stage(#"serverName: "other.example","#)
        let answer = try stage.ask(request)
        #expect(answer.status == 503 || answer.status == 502)
        #expect(stage.log.contains { $0.contains("TLS: ") && $0.contains("mismatch") })
    }

    @Test func `anybody gets them when nothing is to be proved`() throws {
        var settings = Stage.Settings()
        settings.pool = #"tls: { verify: false, serverName: "other.example" },"#
        let stage = try Stage(settings)
        stage.replica.refuse()
        let alone = try Signed.authority.get().selfSigned("alone")
        let server = try TLSServer([Signed.certificate(alone)], tickets: TLSTickets())
        stage.secureReplica(server, answer: whole)
        stage.pass(.seconds(10))
        #expect(try stage.ask(request).text == "ok")
    }

    @Test func `the gateway shows its certificate to a replica that asks`() throws {
        let authority = TLSAuthorities.only(.file(try Signed.authority.get().certificate))
        let required = TLSClientAuth(authorities: authority, isRequired: true)
        let with = try stage(Signed.files(Signed.caller.get()), clients: required)
        #expect(try with.ask(request).text == "ok")
        let without = try stage(clients: required)
        #expect(try without.ask(request).status >= 500)
    }

    @Test func `probes speak TLS as well`() throws {
        let stage = try stage(health: #"health: { path: "/h" },"#)
        #expect(stage.pool.snapshot().replicas.first?.state == .ready)
        #expect(try stage.ask(request).text == "ok")
    }

    @Test func `a body that ends with the connection is whole only after close_notify`() throws {
        let answer = "HTTP/1.1 200 OK\nConnection: close\n\nall of it"
        let ended = try stage(answer: answer)
        #expect(try ended.ask(request).text == "all of it")
        let cut = try stage(answer: answer, saysGoodbye: false)
        let client = cut.client()
        client.send(request)
        cut.run { !client.answers.isEmpty || client.hasEnded }
        #expect(client.answers.isEmpty)
    }

    @Test func `a plain replica is not taken for one that speaks TLS`() throws {
        var settings = Stage.Settings()
        settings.pool = try Signed.pool()
        let stage = try Stage(settings)
        let answer = try stage.ask(request)
        #expect(answer.status >= 500)
        #expect(stage.replica.requests.isEmpty)
    }
}
