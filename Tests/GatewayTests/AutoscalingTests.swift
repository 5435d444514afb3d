import Balancing
import Foundation
import Kubernetes
import Simulation
import Testing
import Transport

@testable import Gateway

@Suite struct `Autoscaling` {
    private func ask(_ stage: Stage, _ target: String) throws -> (Int, [String: Any]) {
        let client = stage.client(to: Transport.Address(bytes: [127, 0, 0, 1], port: 9900))
        client.send(head("GET \(target) HTTP/1.1", "Host: a"))
        stage.run(within: .seconds(10)) { !client.answers.isEmpty }
        let answer = try #require(client.answers.first)
        let object = try JSONSerialization.jsonObject(with: Data(answer.body))
        return (answer.status, object as? [String: Any] ?? [:])
    }

    @Test func `a pool says how much work it has`() throws {
        let stage = try Stage(Stage.Settings(replicas: 2, concurrency: 2))
        for replica in stage.replicas {
            replica.answer = { _, _ in [.wait(.seconds(60)), .send(ScriptedReplica.ok("x"))] }
        }
        let clients = (0..<6).map { _ in stage.client() }
        for client in clients { client.send(head("GET / HTTP/1.1", "Host: a")) }
        stage.pass(.milliseconds(500))
        let (status, pool) = try ask(stage, "/autoscale/m")
        #expect(status == 200)
        #expect(pool["pool"] as? String == "m")
        #expect(pool["outstandingRequests"] as? Int == 6)
        #expect(pool["inFlight"] as? Int == 4)
        #expect(pool["waiting"] as? Int == 2)
        #expect(pool["capacity"] as? Int == 4)
        #expect(pool["saturation"] as? Double == 1)
        #expect(pool["desiredReplicas"] as? Int == 3)
    }

    @Test func `all pools stand in one page`() throws {
        let pools = #"a: { replicas: [] }, b: { replicas: [] }"#
        let routes = #"{ pool: "a" }, { pool: "b", path: "/b" }"#
        let stage = try Stage(Stage.Settings(replicas: 0, pools: pools, routes: routes))
        let (_, page) = try ask(stage, "/autoscale")
        let names = (page["pools"] as? [[String: Any]])?.compactMap { $0["pool"] as? String }
        #expect(names == ["a", "b"])
        #expect(page["gateways"] as? Int == 1)
        let (_, own) = try ask(stage, "/autoscale?own=true")
        #expect(own["gateway"] as? String == stage.gateway.peers.id)
    }

    @Test func `a pool that is not there is 404, and the others are named`() throws {
        let stage = try Stage()
        let (status, problem) = try ask(stage, "/autoscale/x")
        #expect(status == 404)
        #expect(problem["detail"] as? String == "there is no pool x; there are: m")
    }

    @Test func `requests to a pool without replicas are what asks for the first`() throws {
        let pools = #"m: { replicas: [] }"#
        let stage = try Stage(Stage.Settings(replicas: 0, pools: pools))
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.milliseconds(100))
        let (_, pool) = try ask(stage, "/autoscale/m")
        #expect(pool["outstandingRequests"] as? Int == 1)
        #expect(pool["saturation"] as? Double == 1)
        #expect(pool["desiredReplicas"] as? Int == 1)
        #expect(client.answers.isEmpty)
    }

    @Test func `where the gateway scales by itself its own decision stands`() throws {
        let stage = try Stage()
        #expect(try ask(stage, "/autoscale/m").1["desiredReplicas"] as? Int == 1)
        try #require(stage.gateway.snapshot.pools.first).noteDesired(7)
        #expect(try ask(stage, "/autoscale/m").1["desiredReplicas"] as? Int == 7)
    }

    @Test func `each metric has its value`() {
        let figures = PoolFigures(pool: "m", inFlight: 3, waiting: 1, capacity: 6)
        let values = AutoscalingMetric.allCases.map { $0.value(figures, desired: 7) }
        #expect(values == [4, 0.5, 7])
    }
}
