import Simulation
import Testing
import Transport

@testable import Gateway

/// Idle connections: no task, no buffers, and nothing lost by it.
@Suite struct `Resting clients` {
    private static let get = head("GET / HTTP/1.1", "Host: a")

    private func resting(_ stage: Stage) throws -> Int {
        try stage.onLoop(0) { Lane.of($0).clients.allResting.count }
    }

    private func served(_ stage: Stage) throws -> Int {
        try stage.onLoop(0) { Array(Lane.of($0).clients.all).count }
    }

    @Test func `begin at rest, and come to rest a moment after an answer`() throws {
        let stage = try Stage()
        let client = stage.client()
        stage.pass(.milliseconds(10))
        #expect(try resting(stage) == 1)
        #expect(try served(stage) == 0)
        client.send(Self.get)
        stage.run(within: .seconds(1)) { !client.answers.isEmpty }
        #expect(try served(stage) == 1)
        stage.pass(.milliseconds(100))
        #expect(try resting(stage) == 1)
        #expect(try served(stage) == 0)
    }

    @Test func `are served however long they rested`() throws {
        let stage = try Stage()
        let client = stage.client()
        for round in 1...5 {
            stage.pass(.milliseconds(700 * round))
            client.send(Self.get)
            stage.run(within: .seconds(1)) { client.answers.count == round }
        }
        #expect(client.answers.map(\.status) == [200, 200, 200, 200, 200])
        #expect(stage.gateway.openConnections == 1)
    }

    @Test(arguments: [49, 50, 51])
    func `lose nothing that comes while they go to rest`(milliseconds: Int) throws {
        let stage = try Stage()
        let client = stage.client()
        client.send(Self.get)
        stage.run(within: .seconds(1)) { client.answers.count == 1 }
        for microseconds in stride(from: 0, to: 2000, by: 250) {
            stage.pass(.milliseconds(milliseconds) + .microseconds(microseconds))
            let before = client.answers.count
            client.send(Self.get)
            stage.run(within: .seconds(1)) { client.answers.count > before }
            #expect(client.answers.count == before + 1)
        }
    }

    @Test func `are closed when their time is over, and give their place back`() throws {
        let stage = try Stage(Stage.Settings(top: #"timeouts: { keepAlive: "3s" },"#))
        let asked = stage.client()
        let silent = stage.client()
        asked.send(Self.get)
        stage.pass(.milliseconds(2_800))
        #expect(!asked.hasEnded && !silent.hasEnded)
        stage.pass(.milliseconds(500))
        #expect(asked.hasEnded && silent.hasEnded)
        #expect(stage.gateway.openConnections == 0)
        #expect(try resting(stage) == 0)
    }

    @Test func `end with their client`() throws {
        let stage = try Stage()
        let client = stage.client()
        stage.pass(.milliseconds(100))
        client.close()
        stage.pass(.milliseconds(100))
        #expect(stage.gateway.openConnections == 0)
        #expect(try resting(stage) == 0)
    }

    @Test func `end with the gateway`() throws {
        let stage = try Stage(
            Stage.Settings(top: #"shutdown: { drainDelay: "0s", grace: "5s" },"#)
        )
        let clients = (0..<3).map { _ in stage.client() }
        clients[0].send(Self.get)
        stage.pass(.milliseconds(200))
        #expect(try resting(stage) == 3)
        let hasStopped = stage.stop()
        #expect(hasStopped)
        #expect(clients.allSatisfy { $0.hasEnded })
        #expect(stage.gateway.openConnections == 0)
    }
}
