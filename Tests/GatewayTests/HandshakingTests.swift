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
        conditions: Conditions = .kind,
        seed: UInt64 = 1
    ) throws -> Stage {
        var settings = Stage.Settings()
        settings.listener = try Signed.listener(listener)
        settings.top = top
        return try Stage(settings, seed: seed, conditions: conditions)
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

    /// What a client says, up to its request's end, when the gateway asks for certificates or not.
    private func secured(_ isMutual: Bool) throws -> (stage: Stage, caller: TestAuthority.Pair?) {
        guard isMutual else { return (try stage(), nil) }
        let authority = try Signed.authority.get().certificate
        let stage = try stage("clientAuth: \"require\", clientCA: \"\(authority)\",")
        return (stage, try Signed.caller.get())
    }

    /// Asks through a wire; nil when no answer came.
    private func ask(
        through wire: CutWire,
        _ stage: Stage,
        as caller: TestAuthority.Pair?
    ) throws -> String? {
        // A client of its own each time: nothing is resumed, every handshake is a full one.
        let client = try Signed.client(caller)
        return try stage.onLoop { context in
            let connection = try await TLSTestClient(on: context, to: wire.address)
            defer { connection.socket.close() }
            do {
                try await connection.shakeHands(client)
                try await connection.send(self.request)
                return try await connection.receive()
            } catch {
                return nil
            }
        }
    }

    /// Everything that a client says up to its request's end is cut: the hello, and the second
    /// flight.
    ///
    /// That is its certificate if one is asked for, Finished, and the request.
    @Test(arguments: [false, true])
    func `a client that is cut at any byte leaves nothing behind`(
        isMutual: Bool
    ) throws {
        let (stage, caller) = try secured(isMutual)
        let wire = CutWire(in: stage)
        #expect(try ask(through: wire, stage, as: caller)?.contains("200 OK") == true)
        let total = wire.carried
        #expect(total > (isMutual ? 900 : 350))
        for limit in 0..<total {
            let served = stage.replica.requests.count
            let begun = stage.world.elapsed
            wire.cut(after: limit, byReset: limit % 2 == 1)
            let answer = try ask(through: wire, stage, as: caller)
            stage.run(within: .seconds(2)) { stage.gateway.openConnections == 0 }
            #expect(stage.gateway.openConnections == 0, "\(limit) bytes")
            // Long before any time-out.
            #expect(stage.world.elapsed - begun < .seconds(2), "\(limit) bytes")
            // Signatures differ in length: the request may be whole a few bytes early.
            guard wire.wasCut, limit < total - 8 else { continue }
            #expect(answer == nil, "\(limit) bytes")
            #expect(stage.replica.requests.count == served, "\(limit) bytes")
        }
        // The gate of the handshakes has let all of them out again.
        wire.cut(after: .max)
        #expect(try ask(through: wire, stage, as: caller)?.contains("200 OK") == true)
    }

    @Test(arguments: [false, true])
    func `a client whose bytes come one by one is served`(isMutual: Bool) throws {
        let (stage, caller) = try secured(isMutual)
        let wire = CutWire(in: stage)
        wire.dripping = .microseconds(700)
        let answer = try ask(through: wire, stage, as: caller)
        #expect(answer?.hasSuffix("\r\n\r\nok") == true)
        #expect(stage.world.elapsed > .microseconds(700) * (wire.carried - 10))
    }

    /// The ticket and the answer leave together; the ticket's record comes in two pieces, and its
    /// second one with the answer.
    @Test(arguments: 1...12)
    func `a client gets an answer that comes behind half a ticket`(count: Int) throws {
        let stage = try stage()
        let wire = CutWire(in: stage)
        wire.firstPiece = count
        let client = try Signed.client()
        let (answer, duration) = try stage.onLoop { context in
            let connection = try await TLSTestClient(on: context, to: wire.address)
            defer { connection.socket.close() }
            try await connection.shakeHands(client)
            let begun = context.now
            try await connection.send("GET / HTTP/1.1\nHost: gw.example\n\n")
            let answer = try await connection.receive(until: "\r\n\r\nok")
            return (answer, context.now - begun)
        }
        #expect(answer?.hasPrefix("HTTP/1.1 200 ") == true)
        // It did not lie there until something else happened to the connection.
        #expect(duration < .seconds(1) && duration > CutWire.pause)
    }

    @Test(arguments: 0..<24 as Range<UInt64>)
    func `whatever the network does, all bytes go both ways`(seed: UInt64) throws {
        var chance = SeededGenerator(seed: seed)
        let stage = try stage(conditions: .random(using: &chance), seed: seed)
        stage.replica.answer = { request, _ in
            let count = Int(request.head.value("X-Wanted") ?? "") ?? 0
            return [.send(ScriptedReplica.ok(String(repeating: "a", count: count)))]
        }
        let client = try Signed.client()
        for connection in 0..<3 {
            let sizes = (0..<4).map { _ in
                (sent: Int(chance.next() % 60_000), wanted: Int(chance.next() % 60_000))
            }
            let served = stage.replica.requests.count
            let answers = try stage.onLoop { context in
                let connection = try await TLSTestClient(on: context)
                defer { connection.socket.close() }
                try await connection.shakeHands(client)
                var answers: [String] = []
                for (sent, wanted) in sizes {
                    try await connection.send(
                        """
                        POST / HTTP/1.1
                        Host: gw.example
                        X-Wanted: \(wanted)
                        Content-Length: \(sent)


                        """
                    )
                    try await connection.send([UInt8](repeating: UInt8(ascii: "b"), count: sent))
                    let end = "\r\n\r\n" + String(repeating: "a", count: wanted)
                    answers.append(try await connection.receive(until: end) ?? "cut")
                }
                return answers
            }
            for (answer, size) in zip(answers, sizes) {
                #expect(answer.hasPrefix("HTTP/1.1 200 "), "connection \(connection)")
                #expect(answer.utf8.count { $0 == UInt8(ascii: "a") } >= size.wanted)
            }
            let seen = stage.replica.requests.dropFirst(served).map(\.body.count)
            #expect(seen == sizes.map(\.sent), "connection \(connection)")
        }
    }
}

/// A wire to the gateway that ends after so many bytes of the client's, or lets them drip.
private final class CutWire {
    let address = Transport.Address(bytes: [10, 0, 0, 2], port: 443)
    /// Bytes of the client's that the latest connection has carried.
    private(set) var carried = 0
    /// Whether the client has sent more than was carried.
    private(set) var wasCut = false
    /// The time between two bytes; nil: all go on as they come.
    var dripping: Duration?
    /// So many bytes of what the gateway says after the handshake come before the rest.
    var firstPiece: Int?
    /// The time between these and the rest.
    static let pause = Duration.milliseconds(2)
    private var clientFlights = 0
    private var waiting: [UInt8] = []
    private var isDripping = false
    private var limit = Int.max
    private var isReset = false
    private let world: SimulatedWorld
    private var connections = 0

    init(in stage: Stage) {
        world = stage.world
        world.listen(at: address) { [unowned self] near in welcome(near) }
    }

    func cut(after limit: Int, byReset isReset: Bool = false) {
        self.limit = limit
        self.isReset = isReset
    }

    private func welcome(_ near: PeerSocket) {
        carried = 0
        wasCut = false
        connections += 1
        let local = Transport.Address(
            bytes: [10, 9, 1, UInt8(connections >> 8)],
            port: UInt16(1000 + connections & 255)
        )
        clientFlights = 0
        let far = world.connect(from: local, to: Stage.listener) { [unowned self] far in
            let bytes = far.read()
            if let firstPiece, clientFlights > 1, !bytes.isEmpty {
                self.firstPiece = nil
                near.write(Array(bytes.prefix(firstPiece)))
                world.after(CutWire.pause) { near.write(Array(bytes.dropFirst(firstPiece))) }
            } else {
                near.write(bytes)
            }
            if far.atEnd { near.finish() }
        }
        near.changed = { [unowned self] near in
            let bytes = near.read()
            if !bytes.isEmpty { clientFlights += 1 }
            if dripping == nil {
                carry(bytes, near, far)
            } else {
                waiting += bytes
                if !isDripping { drip(near, far) }
            }
            if near.atEnd, waiting.isEmpty { far.finish() }
        }
        if limit == 0 { end(near, far) }
    }

    private func drip(_ near: PeerSocket, _ far: PeerSocket) {
        isDripping = !waiting.isEmpty
        guard isDripping, let dripping else { return }
        carry([waiting.removeFirst()], near, far)
        world.after(dripping) { [self] in drip(near, far) }
    }

    private func carry(_ bytes: [UInt8], _ near: PeerSocket, _ far: PeerSocket) {
        guard !wasCut, !bytes.isEmpty else { return }
        let part = bytes.prefix(limit - carried)
        carried += part.count
        far.write(Array(part))
        if part.count < bytes.count { end(near, far) }
    }

    private func end(_ near: PeerSocket, _ far: PeerSocket) {
        wasCut = true
        guard isReset else { return far.finish() }
        far.reset()
        near.reset()
    }
}
