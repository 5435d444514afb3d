import Certificates
import Simulation
import Testing
import Transport

@testable import Gateway

@Suite struct `Handshaking` {
    private let request = "GET / HTTP/1.1\nHost: gw.example\nConnection: close\n\n"

    private func stage(
        _ listener: String = "",
        top: String = "",
        conditions: Conditions = .kind
    ) throws -> Stage {
        var settings = Stage.Settings()
        settings.listener = try Signed.listener(listener)
        settings.top = top
        return try Stage(settings, conditions: conditions)
    }

    private func handshakes(_ stage: Stage, _ result: String) -> Bool {
        let page = stage.gateway.metricsPage(now: .init(nanoseconds: 0), wallNanoseconds: 0)
        return String(decoding: page, as: UTF8.self)
            .contains("sluice_tls_handshakes_total{result=\"\(result)\"} 1\n")
    }

    @Test func `a request is served, and the replica told how it came`() throws {
        let stage = try stage()
        let answer = try stage.askSecurely(request, as: Signed.client())
        #expect(answer?.hasPrefix("HTTP/1.1 200 OK\r\n") == true)
        #expect(answer?.hasSuffix("\r\n\r\nok") == true)
        #expect(stage.replica.requests.first?.head.value("X-Forwarded-Proto") == "https")
        #expect(handshakes(stage, "full"))
    }

    @Test(arguments: ["GET", "PROPFIND", "x"])
    func `plain HTTP is answered with what is wrong`(method: String) throws {
        let stage = try stage()
        let answer = try stage.ask("\(method) /long/enough HTTP/1.1\nHost: gw.example\n\n")
        #expect(answer.status == 400)
        #expect(answer.text.contains("speaks TLS: use https"))
        #expect(answer.reason == "bad_request")
        #expect(handshakes(stage, "plain_http"))
    }

    @Test func `silence is ended by its own time-out`() throws {
        let stage = try stage(top: #"timeouts: { handshake: "3s" },"#)
        let client = stage.client()
        stage.run(within: .milliseconds(2900)) { client.hasEnded }
        #expect(!client.hasEnded)
        stage.run(within: .milliseconds(200)) { client.hasEnded }
        #expect(client.hasEnded)
        #expect(handshakes(stage, "timed_out"))
    }

    @Test func `bytes that drip do not move the time-out`() throws {
        let stage = try stage(top: #"timeouts: { handshake: "3s" },"#)
        let client = stage.client()
        // A record of the handshake that never becomes whole.
        client.send([22, 3, 1, 2, 0])
        for _ in 0..<4 {
            stage.pass(.milliseconds(800))
            client.send([1])
        }
        #expect(client.hasEnded)
    }

    @Test func `garbage ends the connection`() throws {
        let stage = try stage()
        let client = stage.client()
        client.send([22, 3, 1, 0, 4, 1, 2, 3, 4])
        stage.run(within: .seconds(1)) { client.hasEnded }
        #expect(client.hasEnded)
        #expect(handshakes(stage, "failed"))
        #expect(stage.gateway.openConnections == 0)
    }

    @Test func `those beyond the limit wait for their turn`() throws {
        let stage = try stage(top: #"limits: { handshakes: 1 }, timeouts: { handshake: "3s" },"#)
        let silent = stage.client()
        // A hello that never becomes whole.
        silent.send([22, 3, 1, 2, 0])
        stage.pass(.milliseconds(100))
        let client = try Signed.client()
        let answer = try stage.askSecurely(request, as: client)
        // The silent one had its three seconds first; both time-outs had begun together.
        #expect(silent.hasEnded)
        #expect(answer == nil || answer?.contains("200 OK") == true)
        // And the line moves on.
        #expect(try stage.askSecurely(request, as: client)?.contains("200 OK") == true)
    }

    @Test func `a client is known by its certificate, and cannot say so itself`() throws {
        let authority = try Signed.authority.get().certificate
        let stage = try stage("clientAuth: \"require\", clientCA: \"\(authority)\",")
        let forged = """
            GET / HTTP/1.1
            Host: gw.example
            Connection: close
            X-Client-Cert-Subject: CN=root
            X-Client-Cert: x
            X_Client_Cert_Fingerprint: 00


            """
        let answer = try stage.askSecurely(forged, as: Signed.client(Signed.caller.get()))
        #expect(answer?.contains("200 OK") == true)
        let head = try #require(stage.replica.requests.first?.head)
        #expect(head.values("X-Client-Cert-Subject") == ["CN=alice,O=Callers"])
        #expect(head.values("X-Client-Cert-Fingerprint").first?.count == 64)
        #expect(head.values("X-Client-Cert-Fingerprint").count == 1)
        #expect(head.values("X-Client-Cert") == [])
        #expect(head.values("X_Client_Cert_Fingerprint") == [])
    }

    @Test func `a client without a certificate is refused where one is required`() throws {
        let authority = try Signed.authority.get().certificate
        let stage = try stage("clientAuth: \"require\", clientCA: \"\(authority)\",")
        let answer = try stage.askSecurely(request, as: Signed.client())
        #expect(answer == nil)
        #expect(stage.replica.requests.isEmpty)
        #expect(handshakes(stage, "untrusted"))
    }

    @Test func `a plain listener lets no certificate through`() throws {
        let stage = try Stage()
        try stage.ask("GET / HTTP/1.1\nHost: a\nX-Client-Cert-Subject: CN=root\n\n")
        #expect(stage.replica.requests.first?.head.values("X-Client-Cert-Subject") == [])
    }

    @Test func `nothing depends on how the bytes are cut`() throws {
        var conditions = Conditions()
        conditions.segmentBytesMax = 1
        conditions.sendBufferBytes = 512...512
        conditions.receiveBufferBytes = 512...512
        conditions.shortSends = 0.5
        conditions.interruptedCalls = 0.1
        let stage = try stage(conditions: conditions)
        stage.replica.answer = { _, _ in
            [.send(ScriptedReplica.ok(String(repeating: "x", count: 20_000)))]
        }
        let answer = try stage.askSecurely(request, as: Signed.client())
        #expect(answer?.hasSuffix("\r\n\r\n" + String(repeating: "x", count: 20_000)) == true)
    }

    @Test func `a handshake that is cut anywhere leaves nothing behind`() throws {
        let stage = try stage()
        let recorder = stage.recorder(at: Transport.Address(bytes: [10, 0, 0, 2], port: 443))
        let client = try Signed.client()
        try stage.onLoop { context in
            let connection = try await TLSTestClient(on: context, to: recorder.address)
            try connection.socket.startTLS(with: client, to: "gw.example")
            _ = try connection.socket.handshake()
            while recorder.bytes.isEmpty {
                await connection.parking.park(until: context.now + .milliseconds(1))
            }
            connection.socket.close()
        }
        let hello = recorder.bytes
        #expect(hello.count > 100)
        for count in 0..<hello.count {
            let client = stage.client()
            client.send(Array(hello.prefix(count)))
            client.finish()
            stage.run(within: .seconds(1)) { client.hasEnded }
            #expect(client.hasEnded, "\(count) bytes")
        }
        #expect(stage.gateway.openConnections == 0)
    }
}

/// Keeps what somebody sends to an address.
final class Recorder {
    let address: Transport.Address
    fileprivate(set) var bytes: [UInt8] = []
    fileprivate init(_ address: Transport.Address) { self.address = address }
}

extension Stage {
    func recorder(at address: Transport.Address) -> Recorder {
        let recorder = Recorder(address)
        world.listen(at: address) { peer in
            peer.changed = { recorder.bytes += $0.read() }
        }
        return recorder
    }
}
