import Certificates
import Configuration
import Simulation
import Testing
import Transport

@testable import Gateway

@Suite struct `Door` {
    private let request = "GET / HTTP/1.1\nHost: gw.example\n\n"

    private func settings(_ listener: String) -> Stage.Settings {
        var settings = Stage.Settings()
        settings.listener = listener
        return settings
    }

    private func apply(_ listener: String, to stage: Stage) throws {
        let configuration = try Stage.configuration(settings(listener))
        stage.gateway.apply(configuration, try Stage.material(for: configuration))
        stage.pass(.milliseconds(10))
    }

    @Test func `shows new certificates to new connections, and old ones stay`() throws {
        let stage = try Stage(settings(Signed.listener()))
        let other = try Signed.authority.get().sign("door", names: ["renewed.example"])
        let client = try Signed.client()
        let answers = try stage.onLoop { context in
            let kept = try await TLSTestClient(on: context)
            try await kept.shakeHands(client, to: "gw.example")
            try await kept.send(request)
            let first = try await kept.receive(until: "ok")
            let configuration = try Stage.configuration(settings("tls: { \(Signed.files(other)) }"))
            stage.gateway.apply(configuration, try Stage.material(for: configuration))
            let fresh = try await TLSTestClient(on: context)
            try await fresh.shakeHands(client, to: "renewed.example")
            try await fresh.send(request)
            let second = try await fresh.receive(until: "ok")
            try await kept.send(request)
            return [first, second, try await kept.receive(until: "ok")]
        }
        #expect(answers.allSatisfy { $0?.contains("200 OK") == true })
    }

    @Test func `stops believing clients whose authority is gone, also with a ticket`() throws {
        let path = try Signed.authority.get().certificate
        let auth = "clientAuth: \"require\", clientCA:"
        let stage = try Stage(settings(Signed.listener("\(auth) \"\(path)\"")))
        let client = try Signed.client(Signed.caller.get())
        let ask = "GET / HTTP/1.1\nHost: gw.example\nConnection: close\n\n"
        #expect(try stage.askSecurely(ask, as: client)?.contains("200 OK") == true)
        let other = try TestAuthority("Another Authority")
        try apply(Signed.listener("\(auth) \"\(other.certificate)\""), to: stage)
        #expect(try stage.askSecurely(ask, as: client) == nil)
        #expect(stage.replica.requests.count == 1)
    }

    @Test func `turns from plain to TLS and back with a reload`() throws {
        let stage = try Stage()
        #expect(try stage.ask(request).status == 200)
        try apply(Signed.listener(), to: stage)
        #expect(try stage.ask(request).status == 400)
        try apply("redirect: 8443", to: stage)
        #expect(try stage.ask(request).status == 308)
        try apply("", to: stage)
        #expect(try stage.ask(request).status == 200)
    }
}
