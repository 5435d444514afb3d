import Foundation
import Kubernetes
import Simulation
import Synchronization
import Testing
import Transport

@testable import Gateway

/// Gateways in front of the same replicas, that ask each other what work there is.
@Suite struct `Peers` {
    private static let admin = Transport.Address(bytes: [10, 0, 0, 1], port: 9900)

    private static func settings(peers: String = #"peers: "sluice-peers","#) -> Stage.Settings {
        Stage.Settings(top: peers, admin: #"address: "10.0.0.1:9900", token: "t""#)
    }

    private static func peer(_ number: Int) -> Transport.Address {
        Transport.Address(bytes: [10, 3, 0, UInt8(number)], port: 9900)
    }

    /// What `sluice-peers` means.
    private static func resolver(_ addresses: [Transport.Address]) -> Resolver {
        { name, port, done in
            done(name == "sluice-peers" && port == 9900 ? .addresses(addresses) : .notFound)
        }
    }

    /// A gateway that says so many requests are in flight and wait.
    private func peer(
        _ number: Int,
        _ inFlight: Int,
        _ waiting: Int,
        in stage: Stage
    ) -> ScriptedReplica {
        let replica = ScriptedReplica(at: Self.peer(number), in: stage.world)
        let pool = PoolFigures(
            pool: "m",
            inFlight: inFlight,
            waiting: waiting,
            capacity: 8,
            replicas: 1,
            ready: 1
        )
        let figures = GatewayFigures(gateway: "peer\(number)", pools: [pool])
        let body = String(decoding: figures.document, as: UTF8.self)
        replica.answer = { _, _ in [.send(ScriptedReplica.ok(body))] }
        return replica
    }

    private func ask(_ stage: Stage, _ target: String = "/autoscale/m") throws -> [String: Any] {
        let client = stage.client(to: Self.admin)
        client.send(head("GET \(target) HTTP/1.1", "Host: a", "Authorization: Bearer t"))
        stage.run(within: .seconds(10)) { !client.answers.isEmpty }
        let answer = try #require(client.answers.first)
        let object = try JSONSerialization.jsonObject(with: Data(answer.body))
        return try #require(object as? [String: Any])
    }

    @Test func `count their requests together`() throws {
        let addresses = [Self.peer(1), Self.peer(2)]
        let stage = try Stage(Self.settings(), resolver: Self.resolver(addresses))
        let one = peer(1, 3, 1, in: stage)
        let two = peer(2, 4, 0, in: stage)
        let sum = try ask(stage)
        #expect(sum["outstandingRequests"] as? Int == 8)
        #expect(sum["inFlight"] as? Int == 7)
        #expect(sum["capacity"] as? Int == 8)
        #expect(sum["gateways"] as? Int == 3)
        #expect(sum["saturation"] as? Double == 0.875)
        let seen = try #require(one.requests.first)
        #expect(seen.head.startLine == "GET /autoscale?own=true HTTP/1.1")
        #expect(seen.head.value("Authorization") == "Bearer t")
        #expect(two.requests.count == 1)
    }

    @Test func `a gateway that finds itself among them counts once`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.admin]))
        stage.replica.answer = { _, _ in [.wait(.seconds(30)), .send(ScriptedReplica.ok("x"))] }
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.milliseconds(300))
        let sum = try ask(stage)
        #expect(sum["outstandingRequests"] as? Int == 1)
        #expect(sum["gateways"] as? Int == 1)
    }

    @Test func `who does not answer counts with what was said last, for a minute`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.peer(1)]))
        let peer = peer(1, 5, 0, in: stage)
        #expect(try ask(stage)["inFlight"] as? Int == 5)
        peer.refuse()
        stage.pass(.seconds(30))
        #expect(try ask(stage)["inFlight"] as? Int == 5)
        stage.pass(.seconds(40))
        #expect(try ask(stage)["inFlight"] as? Int == 0)
        #expect(stage.log.count { $0.contains("does not answer") } == 1)
    }

    @Test func `who is silent is not waited for long`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.peer(1)]))
        let peer = ScriptedReplica(at: Self.peer(1), in: stage.world)
        peer.answer = { _, _ in [] }
        let before = stage.world.now
        #expect(try ask(stage)["gateways"] as? Int == 1)
        #expect(stage.world.now - before < .seconds(2))
    }

    @Test func `who is gone from the name counts no more`() throws {
        let addresses = Mutex([Self.peer(1)])
        let stage = try Stage(
            Self.settings(),
            resolver: { _, _, done in done(.addresses(addresses.withLock { $0 })) }
        )
        let peer = peer(1, 5, 0, in: stage)
        #expect(try ask(stage)["inFlight"] as? Int == 5)
        addresses.withLock { $0 = [Self.admin] }
        stage.pass(.seconds(2))
        #expect(try ask(stage)["inFlight"] as? Int == 0)
        #expect(peer.requests.count == 1)
    }

    @Test func `several questions at about the same time are one`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.peer(1)]))
        let peer = peer(1, 5, 0, in: stage)
        for _ in 0..<5 { _ = try ask(stage) }
        #expect(peer.requests.count == 1)
        stage.pass(.seconds(2))
        _ = try ask(stage)
        #expect(peer.requests.count == 2)
    }

    @Test func `who asks while a question is on its way waits for its answer`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.peer(1)]))
        let peer = peer(1, 5, 0, in: stage)
        let clients = (0..<3).map { _ in stage.client(to: Self.admin) }
        for client in clients {
            client.send(head("GET /autoscale/m HTTP/1.1", "Host: a", "Authorization: Bearer t"))
        }
        let before = stage.world.now
        stage.run(within: .seconds(10)) { clients.allSatisfy { !$0.answers.isEmpty } }
        #expect(stage.world.now - before < .milliseconds(500))
        for client in clients {
            let body = String(decoding: try #require(client.answers.first).body, as: UTF8.self)
            #expect(body.contains(#""inFlight":5"#), "\(body)")
        }
        #expect(peer.requests.count == 1)
    }

    @Test func `a name without an address is told once`() throws {
        let stage = try Stage(Self.settings(), resolver: { _, _, done in done(.notFound) })
        for _ in 0..<3 {
            #expect(try ask(stage)["gateways"] as? Int == 1)
            stage.pass(.seconds(2))
        }
        #expect(stage.log.count { $0.contains("sluice-peers has no address") } == 1)
    }

    @Test func `rubbish is no answer`() throws {
        let stage = try Stage(Self.settings(), resolver: Self.resolver([Self.peer(1)]))
        let peer = ScriptedReplica(at: Self.peer(1), in: stage.world)
        peer.answer = { _, _ in [.send(ScriptedReplica.ok("{oh"))] }
        #expect(try ask(stage)["gateways"] as? Int == 1)
        #expect(stage.log.contains { $0.contains("10.3.0.1:9900 does not answer") })
    }

    @Test func `without a name there is only this one`() throws {
        let stage = try Stage(Self.settings(peers: ""))
        let sum = try ask(stage)
        #expect(sum["gateways"] as? Int == 1)
        #expect(sum["pool"] as? String == "m")
    }
}
