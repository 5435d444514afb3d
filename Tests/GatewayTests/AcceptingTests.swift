import Simulation
import Testing
import Transport

@testable import Gateway

/// The first step: who comes in.
@Suite struct `Accepting` {
    private static let get = head("GET / HTTP/1.1", "Host: a")

    @Test func `connections beyond the limit are closed at once`() throws {
        let stage = try Stage(Stage.Settings(top: "limits: { connections: 2 },"))
        let clients = (0..<4).map { _ in stage.client() }
        stage.run(within: .seconds(1)) { clients.filter(\.hasEnded).count == 2 }
        #expect(clients.filter(\.hasEnded).count == 2)
        #expect(stage.gateway.openConnections == 2)
        let served = try #require(clients.first { !$0.hasEnded })
        served.send(Self.get)
        stage.run(within: .seconds(1)) { !served.answers.isEmpty }
        #expect(served.answers.map(\.status) == [200])
    }

    @Test func `a place that becomes free is given to the next`() throws {
        let stage = try Stage(Stage.Settings(top: "limits: { connections: 1 },"))
        for _ in 0..<5 {
            let client = stage.client()
            client.send(Self.get)
            stage.run(within: .seconds(1)) { !client.answers.isEmpty }
            #expect(client.answers.map(\.status) == [200])
            client.close()
            stage.run(within: .seconds(1)) { stage.gateway.openConnections == 0 }
        }
    }

    @Test func `what arrived is counted`() throws {
        let stage = try Stage(Stage.Settings(top: "limits: { connections: 2 },"))
        let clients = (0..<3).map { _ in stage.client() }
        stage.run(within: .seconds(1)) { clients.contains(where: \.hasEnded) }
        let page = try stage.metrics()
        #expect(page.contains("sluice_client_connections_total{result=\"accepted\"} 2"))
        #expect(page.contains("sluice_client_connections_total{result=\"refused\"} 1"))
        #expect(page.contains("sluice_client_connections 2"))
    }

    @Test func `every loop takes connections`() throws {
        let stage = try Stage(loops: 3)
        let clients = (0..<60).map { _ in stage.client() }
        for client in clients { client.send(Self.get) }
        stage.run(within: .seconds(5)) { clients.allSatisfy { !$0.answers.isEmpty } }
        var counts: [Int] = []
        for number in 0..<3 {
            counts.append(try stage.onLoop(number) { Lane.of($0).clients.count })
        }
        #expect(counts.reduce(0, +) == 60)
        #expect(counts.allSatisfy { $0 > 0 }, "\(counts)")
    }

    @Test func `without a descriptor the gateway waits and goes on`() throws {
        let stage = try Stage()
        stage.world.conditions.descriptorLimit = stage.world.openConnections
        let client = stage.client()
        client.send(Self.get)
        stage.pass(.seconds(1))
        #expect(client.answers.isEmpty)
        #expect(stage.log.contains { $0.contains("cannot accept") })
        stage.world.conditions.descriptorLimit = 100_000
        stage.run(within: .seconds(2)) { !client.answers.isEmpty }
        #expect(client.answers.map(\.status) == [200])
    }

    @Test func `a listener is closed once the gateway drains, not before`() throws {
        let stage = try Stage(
            Stage.Settings(top: #"shutdown: { drainDelay: "2s", grace: "5s" },"#)
        )
        stage.gateway.stop {}
        stage.pass(.seconds(1))
        let early = stage.client()
        early.send(Self.get)
        stage.run(within: .milliseconds(100)) { !early.answers.isEmpty }
        #expect(early.answers.map(\.status) == [200])
        stage.pass(.seconds(2))
        #expect(!stage.world.isListening(at: Stage.listener))
    }
}

extension Stage {
    /// The page of `/metrics`.
    func metrics() throws -> String {
        let gateway = gateway
        return try onLoop { context in
            let page = gateway.metricsPage(
                now: context.now,
                wallNanoseconds: context.network.wallNanoseconds
            )
            return String(decoding: page, as: UTF8.self)
        }
    }
}
