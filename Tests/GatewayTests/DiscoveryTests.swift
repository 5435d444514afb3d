import Balancing
import Simulation
import Synchronization
import Testing
import Transport

@testable import Gateway

/// Where a pool's replicas come from.
@Suite struct `Discovery` {
    /// What names mean, as the test says.
    private final class Names: Sendable {
        let answers = Mutex<[String: Resolution]>([:])
        let questions = Mutex<[String]>([])

        var resolver: Resolver {
            { [self] name, _, done in
                questions.withLock { $0.append(name) }
                done(answers.withLock { $0[name] } ?? .notFound)
            }
        }

        func set(_ name: String, _ hosts: [UInt8]) {
            let addresses = hosts.map { Transport.Address(bytes: [10, 1, 0, $0], port: 5000) }
            answers.withLock { $0[name] = .addresses(addresses) }
        }

        func set(_ name: String, _ resolution: Resolution) {
            answers.withLock { $0[name] = resolution }
        }

        var count: Int { questions.withLock { $0.count } }
    }

    private static let dns = Stage.Settings(
        replicas: 3,
        pools: #"m: { dns: { name: "model", port: 5000, every: "2s" } }"#
    )

    private func listed(_ stage: Stage) -> [String] {
        stage.pool.snapshot().replicas.filter(\.isListed).map(\.endpoint).sorted()
    }

    @Test func `every address of a name is a replica`() throws {
        let names = Names()
        names.set("model", [1, 2])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        stage.pass(.milliseconds(100))
        #expect(listed(stage) == ["10.1.0.1:5000", "10.1.0.2:5000"])
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).status == 200)
    }

    @Test func `addresses come and go with the name's records`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        stage.pass(.milliseconds(100))
        let id = stage.pool.snapshot().replicas.first?.id
        names.set("model", [1, 3])
        stage.pass(.milliseconds(2_100))
        #expect(listed(stage) == ["10.1.0.1:5000", "10.1.0.3:5000"])
        #expect(stage.pool.snapshot().replicas.first?.id == id)
        names.set("model", [3])
        stage.pass(.milliseconds(2_100))
        #expect(listed(stage) == ["10.1.0.3:5000"])
    }

    @Test func `a name is looked up as often as asked for`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        let before = names.count
        stage.pass(.seconds(20))
        #expect((9...11).contains(names.count - before))
    }

    @Test func `when nobody knows the last known replicas stay`() throws {
        let names = Names()
        names.set("model", [1, 2])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        names.set("model", .failed("no server"))
        stage.pass(.seconds(30))
        #expect(listed(stage).count == 2)
        #expect(stage.log.contains { $0.contains("model: no server") })
    }

    @Test func `a name that has vanished is believed after the third time`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        names.set("model", .notFound)
        stage.pass(.milliseconds(4_500))
        #expect(listed(stage).count == 1)
        stage.pass(.seconds(3))
        #expect(listed(stage).isEmpty)
        names.set("model", [2])
        stage.pass(.milliseconds(2_500))
        #expect(listed(stage) == ["10.1.0.2:5000"])
    }

    @Test func `a name that is there again in time is as before`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        for _ in 0..<5 {
            names.set("model", .notFound)
            stage.pass(.seconds(4))
            names.set("model", [1])
            stage.pass(.seconds(2))
        }
        #expect(listed(stage).count == 1)
    }

    @Test func `a resolver that answers late, from anywhere, is waited for`() throws {
        let world = Names()
        let late = Mutex<(@Sendable (Resolution) -> Void)?>(nil)
        let resolver: Resolver = { name, port, done in
            guard name == "model" else { return world.resolver(name, port, done) }
            late.withLock { $0 = done }
        }
        let stage = try Stage(Self.dns, resolver: resolver)
        stage.pass(.seconds(3))
        #expect(listed(stage).isEmpty)
        let done = try #require(late.withLock { $0 })
        done(.addresses([Stage.replica(0)]))
        stage.pass(.milliseconds(100))
        #expect(listed(stage) == ["10.1.0.1:5000"])
    }

    @Test func `a name in a list of replicas is looked up, numbers are not`() throws {
        let names = Names()
        names.set("one", [1])
        let settings = Stage.Settings(
            replicas: 2,
            pools: #"m: { replicas: ["one:5000", "10.1.0.2:5000"] }"#
        )
        let stage = try Stage(settings, resolver: names.resolver)
        stage.pass(.milliseconds(100))
        #expect(listed(stage) == ["10.1.0.2:5000", "one:5000"])
        #expect(Set(names.questions.withLock { $0 }) == ["one"])
    }

    @Test func `a replica whose name means another address keeps its identity`() throws {
        let names = Names()
        names.set("one", [1])
        let settings = Stage.Settings(replicas: 2, pools: #"m: { replicas: ["one:5000"] }"#)
        let stage = try Stage(settings, resolver: names.resolver)
        stage.pass(.milliseconds(100))
        let id = stage.pool.snapshot().replicas.first?.id
        try stage.ask(head("GET / HTTP/1.1", "Host: a"))
        names.set("one", [2])
        stage.pass(.seconds(6))
        try stage.ask(head("GET / HTTP/1.1", "Host: a"))
        #expect(stage.replicas.map(\.requests.count) == [1, 1])
        #expect(stage.pool.snapshot().replicas.map(\.id) == [id])
    }

    @Test func `of several addresses of a written replica one is kept while it is among them`()
        throws
    {
        let names = Names()
        names.set("one", [2])
        let settings = Stage.Settings(replicas: 2, pools: #"m: { replicas: ["one:5000"] }"#)
        let stage = try Stage(settings, resolver: names.resolver)
        stage.pass(.milliseconds(100))
        names.set("one", [1, 2])
        stage.pass(.seconds(6))
        try stage.ask(head("GET / HTTP/1.1", "Host: a"))
        #expect(stage.replicas.map(\.requests.count) == [0, 1])
    }

    @Test func `a pool that is gone asks no more`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        stage.gateway.apply(
            try Stage.configuration(
                Stage.Settings(
                    pools: #"other: { replicas: ["10.7.7.7:1"] }"#,
                    routes: #"{ pool: "other" }"#
                )
            )
        )
        stage.pass(.seconds(1))
        let before = names.count
        stage.pass(.seconds(20))
        #expect(names.count == before)
    }

    @Test func `another source takes over, and the old one falls silent`() throws {
        let names = Names()
        names.set("model", [1])
        let stage = try Stage(Self.dns, resolver: names.resolver)
        var fixed = Self.dns
        fixed.pools = #"m: { replicas: ["10.1.0.3:5000"] }"#
        stage.gateway.apply(try Stage.configuration(fixed))
        stage.pass(.milliseconds(200))
        #expect(listed(stage) == ["10.1.0.3:5000"])
        let before = names.count
        stage.pass(.seconds(10))
        #expect(names.count == before)
        #expect(listed(stage) == ["10.1.0.3:5000"])
    }
}
