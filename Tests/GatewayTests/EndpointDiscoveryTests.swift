import Balancing
import Kubernetes
import Simulation
import Synchronization
import Testing
import Transport

@testable import Gateway

/// Replicas from the EndpointSlices of a Service, against an API that does what real ones do.
@Suite struct `Endpoint discovery` {
    static let slices = SimulatedAPI.slices

    static let settings = Stage.Settings(
        top: SimulatedAPI.setting,
        replicas: 4,
        pools: """
            m: { kubernetes: { service: "model", namespace: "sluice", port: 5000 },
                 slowStart: "0s" }
            """
    )

    /// A gateway that follows the Service, and the API.
    private func stage(
        _ settings: Stage.Settings = settings,
        conditions: Conditions = .kind,
        machine: Machine = Machine(),
        _ prepare: (SimulatedAPI) -> Void
    ) throws -> (Stage, SimulatedAPI) {
        var api: SimulatedAPI?
        let stage = try Stage(settings, conditions: conditions, machine: machine) { world in
            let made = SimulatedAPI(in: world)
            prepare(made)
            api = made
        }
        stage.pass(.milliseconds(500))
        return (stage, try #require(api))
    }

    private func listed(_ stage: Stage) -> [String] {
        stage.pool.snapshot().replicas.filter(\.isListed).map(\.endpoint).sorted()
    }

    private func numbers(_ stage: Stage) -> [String] {
        listed(stage).map { $0.replacing("10.1.0.", with: "").replacing(":5000", with: "") }
    }

    @Test func `every ready endpoint is a replica, and serves`() throws {
        let (stage, api) = try stage {
            $0.putSlice([SimulatedAPI.ready(1), SimulatedAPI.ready(0)])
        }
        #expect(listed(stage) == ["10.1.0.1:5000", "10.1.0.2:5000"])
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).status == 200)
        let first = try #require(api.store.requests.first)
        #expect(
            first.target
                == "\(Self.slices)?labelSelector=kubernetes.io%2Fservice-name%3Dmodel&limit=250"
        )
        let second = try #require(api.store.requests.dropFirst().first)
        #expect(second.parameter("watch") == "true")
        #expect(second.parameter("resourceVersion") == "1001")
        #expect(second.parameter("allowWatchBookmarks") == "true")
        #expect(second.parameter("labelSelector") == "kubernetes.io/service-name=model")
    }

    @Test func `replicas come and go as events say`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        let id = stage.pool.snapshot().replicas.first?.id
        api.putSlice([SimulatedAPI.ready(0), SimulatedAPI.ready(2)])
        stage.pass(.milliseconds(50))
        #expect(numbers(stage) == ["1", "3"])
        #expect(stage.pool.snapshot().replicas.first?.id == id)
        api.putSlice("model-2", [SimulatedAPI.ready(3)])
        stage.pass(.milliseconds(50))
        #expect(numbers(stage) == ["1", "3", "4"])
        api.store.remove("\(Self.slices)/model-1")
        stage.pass(.milliseconds(50))
        #expect(numbers(stage) == ["4"])
        api.putSlice("model-2", [])
        stage.pass(.milliseconds(50))
        #expect(listed(stage).isEmpty)
        #expect(api.store.requests.count == 2)
    }

    @Test func `slices of other Services are nobody's`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.put(
            "\(Self.slices)/other-1",
            """
            {"metadata":{"labels":{"kubernetes.io/service-name":"other"}},"addressType":"IPv4",
             "endpoints":[\(SimulatedAPI.ready(1))],"ports":[]}
            """
        )
        stage.pass(.milliseconds(50))
        #expect(numbers(stage) == ["1"])
    }

    @Test func `an endpoint that is ending drains, and what it has in flight finishes`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        stage.replica.answer = { _, _ in [.wait(.seconds(2)), .send(ScriptedReplica.ok("late"))] }
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.milliseconds(500))
        let ending = #""ready":false,"serving":true,"terminating":true"#
        api.putSlice([SimulatedAPI.endpoint(0, ending), SimulatedAPI.ready(1)])
        stage.pass(.milliseconds(300))
        #expect(numbers(stage) == ["2"])
        #expect(stage.pool.snapshot().replicas.first?.state == .draining)
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).text == "ok")
        stage.run { !client.answers.isEmpty }
        #expect(client.answers.first?.text == "late")
        stage.pass(.milliseconds(200))
        #expect(stage.pool.snapshot().replicas.count == 1)
    }

    @Test func `while the API is away the last known replicas serve`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.vanish()
        stage.pass(.seconds(300))
        #expect(numbers(stage) == ["1"])
        #expect(try stage.ask(head("GET / HTTP/1.1", "Host: a")).status == 200)
        let complaints = stage.log.filter { $0.contains("stays in force") }
        #expect((1...3).contains(complaints.count))
        api.putSlice([SimulatedAPI.ready(1)])
        api.listen()
        stage.pass(.seconds(31))
        #expect(numbers(stage) == ["2"])
        #expect(stage.log.contains { $0.contains("the API answers again") })
    }

    @Test func `an API that is away is asked less and less often`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.instead = { _ in
            APIStandIn.whole(503, APIStandIn.status(503, "ServiceUnavailable", "starting"))
        }
        api.store.cutWatches()
        let before = api.store.requests.count
        stage.pass(.seconds(10))
        let early = api.store.requests.count - before
        #expect((3...8).contains(early))
        stage.pass(.seconds(290))
        let late = api.store.requests.count - before - early
        #expect((9...22).contains(late))
        #expect(numbers(stage) == ["1"])
    }

    @Test func `an API that asks for a pause gets it`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.instead = { _ in
            Array(
                ("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 20\r\n"
                    + "Content-Length: 0\r\n\r\n").utf8
            )
        }
        api.store.cutWatches()
        let before = api.store.requests.count
        stage.pass(.seconds(19))
        #expect(api.store.requests.count - before == 1)
    }

    @Test(arguments: [false, true])
    func `an expired version is listed anew at once`(byStatus: Bool) throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.refusesExpiredByStatus = byStatus
        api.store.cutWatches()
        api.putSlice([SimulatedAPI.ready(1)])
        api.store.compact()
        stage.pass(.seconds(2))
        #expect(numbers(stage) == ["2"])
        #expect(api.store.requests.map(\.isWatch) == [false, true, true, false, true])
        #expect(!stage.log.contains { $0.contains(" warning kubernetes") })
    }

    @Test func `an ERROR event inside of a good watch ends it`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.fail(code: 410, reason: "Expired", "too old resource version: 1 (9)")
        api.putSlice([SimulatedAPI.ready(2)])
        stage.pass(.seconds(1))
        #expect(numbers(stage) == ["3"])
        #expect(api.store.requests.map(\.isWatch) == [false, true, false, true])
        api.store.fail(code: 500, reason: "InternalError", "etcd has no leader")
        stage.pass(.milliseconds(20))
        #expect(api.store.openWatches == 0)
        api.putSlice([SimulatedAPI.ready(3)])
        stage.pass(.seconds(1))
        #expect(numbers(stage) == ["4"])
        #expect(stage.log.contains { $0.contains("etcd has no leader") })
    }

    @Test func `a bookmark moves the version on from which a cut watch is taken up`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        for _ in 0..<5 { api.store.put("\(Self.slices)/other", #"{"addressType":"IPv4"}"#) }
        api.store.bookmark()
        stage.pass(.milliseconds(100))
        api.store.cutWatches()
        stage.pass(.seconds(1))
        #expect(api.store.requests.last?.parameter("resourceVersion") == "1006")
        #expect(api.store.openWatches == 1)
    }

    @Test func `a watch whose time is over is renewed without a pause`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        stage.pass(.seconds(600))
        let watches = api.store.requests.count { $0.isWatch }
        #expect((6...11).contains(watches))
        #expect(api.store.requests.count { !$0.isWatch } == 1)
        let seconds = api.store.requests.compactMap { $0.parameter("timeoutSeconds") }
        #expect(Set(seconds).count > 1)
        #expect(seconds.compactMap { Int($0) }.allSatisfy { (60..<120).contains($0) })
    }

    @Test func `a watch that ends at once again and again is not asked for in a hurry`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.instead = { seen in
            seen.isWatch ? APIStandIn.whole(200, [:]) : nil
        }
        api.store.endWatches()
        let before = api.store.requests.count
        stage.pass(.seconds(60))
        #expect(api.store.requests.count - before < 25)
    }

    @Test func `a silent API is given up after a while`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.isSilent = true
        api.store.cutWatches()
        stage.pass(.seconds(90))
        #expect(stage.log.contains { $0.contains("did not answer in time") })
        api.isSilent = false
        api.putSlice([SimulatedAPI.ready(1)])
        stage.pass(.seconds(70))
        #expect(numbers(stage) == ["2"])
    }

    @Test func `a long list comes in pages`() throws {
        let (stage, api) = try stage { api in
            for number in 0..<600 {
                api.putSlice(
                    "model-\(1000 + number)",
                    number % 200 == 0 ? [SimulatedAPI.ready(number / 200)] : []
                )
            }
        }
        #expect(numbers(stage) == ["1", "2", "3"])
        let lists = api.store.requests.filter { !$0.isWatch }
        #expect(lists.map { $0.parameter("continue") } == [nil, "1600.250", "1600.500"])
        #expect(api.store.requests.last?.parameter("resourceVersion") == "1600")
    }

    @Test func `a page that has expired begins the list anew`() throws {
        let (stage, api) = try stage { api in
            for number in 0..<300 { api.putSlice("model-\(1000 + number)", []) }
            api.putSlice("model-2000", [SimulatedAPI.ready(0)])
            var asked = 0
            api.store.instead = { [unowned api] seen in
                asked += 1
                if asked == 2 { api.store.compact() }
                return nil
            }
        }
        #expect(numbers(stage) == ["1"])
        let lists = api.store.requests.filter { !$0.isWatch }
        #expect(lists.map { $0.parameter("continue") != nil } == [false, true, false, true])
    }

    @Test(arguments: [1, 7, 100])
    func `answers in small pieces are put together`(size: Int) throws {
        let (stage, api) = try stage { api in
            api.bytesAtOnce = size
            api.store.sendsListsInChunks = true
            api.putSlice([SimulatedAPI.ready(0)])
        }
        stage.pass(.seconds(3))
        #expect(numbers(stage) == ["1"])
        api.putSlice([SimulatedAPI.ready(1)])
        stage.pass(.seconds(2))
        #expect(numbers(stage) == ["2"])
    }

    @Test func `a rotated token is read before the old one is missed`() throws {
        let token = Mutex("first\n")
        let machine = Machine(readFile: { path, _ in
            path == ServiceAccount.tokenFile ? token.withLock { Array($0.utf8) } : nil
        })
        let (stage, api) = try stage(machine: machine) { api in
            api.store.tokens = ["first"]
            api.putSlice([SimulatedAPI.ready(0)])
        }
        #expect(numbers(stage) == ["1"])
        #expect(api.store.requests.allSatisfy { $0.token == "first" })
        token.withLock { $0 = "second\n" }
        api.store.tokens = ["second"]
        api.store.cutWatches()
        api.putSlice([SimulatedAPI.ready(1)])
        stage.pass(.seconds(1))
        #expect(numbers(stage) == ["2"])
        #expect(api.store.requests.last?.token == "second")
    }

    @Test func `a token that is refused is told, and tried again`() throws {
        let (stage, api) = try stage { api in
            api.store.tokens = ["right"]
            api.putSlice([SimulatedAPI.ready(0)])
        }
        #expect(listed(stage).isEmpty)
        #expect(stage.log.contains { $0.contains("401: the token is not accepted") })
        api.store.tokens = nil
        stage.pass(.seconds(31))
        #expect(numbers(stage) == ["1"])
    }

    @Test func `a missing permission is named`() throws {
        let (stage, _) = try stage { api in
            api.store.forbidden = ["list endpointslices"]
            api.putSlice([SimulatedAPI.ready(0)])
        }
        let words =
            "cannot list endpointslices.discovery.k8s.io in namespace sluice: 403: the service "
            + "account lacks the verb `list` on endpointslices.discovery.k8s.io; a Role must grant"
        #expect(stage.log.contains { $0.contains(words) })
        #expect(stage.gateway.kubernetes.watches.first?.problem?.contains(words) == true)
    }

    @Test func `a watch alone may be forbidden, the list then serves`() throws {
        let (stage, api) = try stage { api in
            api.store.forbidden = ["watch endpointslices"]
            api.putSlice([SimulatedAPI.ready(0)])
        }
        #expect(numbers(stage) == ["1"])
        #expect(stage.log.contains { $0.contains("lacks the verb `watch`") })
        api.store.forbidden = []
        api.putSlice([SimulatedAPI.ready(1)])
        stage.pass(.seconds(31))
        #expect(numbers(stage) == ["2"])
    }

    @Test func `rubbish in a watch is no event, and changes nothing`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        api.store.sendToWatches(Array("5\r\n{oh!\n\r\n".utf8))
        stage.pass(.seconds(2))
        #expect(numbers(stage) == ["1"])
        #expect(api.store.openWatches == 1)
        #expect(stage.log.contains { $0.contains("not an answer of the API") })
    }

    @Test func `a line without an end is cut off`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        let piece = Array("40000\r\n".utf8) + [UInt8](repeating: 0x20, count: 0x40000) + [13, 10]
        for _ in 0..<20 {
            api.store.sendToWatches(piece)
            stage.pass(.milliseconds(200))
        }
        stage.pass(.seconds(1))
        #expect(stage.log.contains { $0.contains("the answer is too large") })
        #expect(numbers(stage) == ["1"])
        #expect(api.store.openWatches == 1)
    }

    @Test func `a pool that is gone watches no more`() throws {
        let (stage, api) = try stage { $0.putSlice([SimulatedAPI.ready(0)]) }
        stage.gateway.apply(
            try Stage.configuration(
                Stage.Settings(
                    top: SimulatedAPI.setting,
                    pools: #"other: { replicas: ["10.7.7.7:1"] }"#,
                    routes: #"{ pool: "other" }"#
                )
            )
        )
        stage.pass(.seconds(1))
        #expect(api.store.openWatches == 0)
        let before = api.store.requests.count
        stage.pass(.seconds(200))
        #expect(api.store.requests.count == before)
        #expect(stage.gateway.kubernetes.watches.isEmpty)
    }

    @Test func `a gateway that nobody told of an API says so`() throws {
        var settings = Self.settings
        settings.top = ""
        let stage = try Stage(settings)
        stage.pass(.seconds(1))
        #expect(stage.log.contains { $0.contains("not in a pod, and `kubernetes.api` is not set") })
    }

    @Test func `the environment names the API where the file does not`() throws {
        var settings = Self.settings
        settings.top = ""
        let machine = Machine(environment: ["SLUICE_KUBERNETES_API": "http://10.2.0.1:6443/"])
        let (stage, _) = try stage(settings, machine: machine) {
            $0.putSlice([SimulatedAPI.ready(0)])
        }
        #expect(numbers(stage) == ["1"])
    }

    @Test func `requests to a Service without pods wait for the first`() throws {
        let (stage, api) = try stage { $0.putSlice([]) }
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.seconds(20))
        #expect(client.answers.isEmpty)
        #expect(stage.pool.snapshot().outstanding == 1)
        api.putSlice([SimulatedAPI.ready(0)])
        stage.run(within: .seconds(5)) { !client.answers.isEmpty }
        #expect(client.answers.first?.status == 200)
    }

    @Test func `and are refused when their patience is over`() throws {
        let (stage, _) = try stage { $0.putSlice([]) }
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a"))
        stage.pass(.seconds(59))
        #expect(client.answers.isEmpty)
        stage.pass(.seconds(2))
        #expect(client.answers.first?.status == 503)
    }

    @Test func `whatever the network does, the replicas end up right`() throws {
        for seed in 1...6 {
            var conditions = Conditions.kind
            conditions.latency = .milliseconds(1)...(.milliseconds(40 * seed))
            let (stage, api) = try stage(conditions: conditions) {
                $0.putSlice([SimulatedAPI.ready(0)])
            }
            for round in 0..<6 {
                api.putSlice("model-\(round % 3)", [SimulatedAPI.ready(round % 4)])
                if round % 2 == 0 { api.store.cutWatches() }
                if round == 3 { api.store.compact() }
                stage.pass(.milliseconds(37 * seed))
            }
            stage.pass(.seconds(40))
            #expect(numbers(stage) == ["1", "2", "4"], "seed \(seed)")
        }
    }
}
