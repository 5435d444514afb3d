import Certificates
import Configuration
import Foundation
import Kubernetes
import Simulation
import Testing
import Transport

@testable import Gateway

/// Ingresses from an API that does what real ones do, served beside the routes of the file.
@Suite struct `Ingress controller` {
    private static let ingresses = "/apis/networking.k8s.io/v1/namespaces/sluice/ingresses"
    private static let services = "/api/v1/namespaces/sluice/services"
    private static let secrets = "/api/v1/namespaces/sluice/secrets"
    private static let events = "/api/v1/namespaces/sluice/events"

    private func settings(_ ingress: String = #"https: "off""#) -> Stage.Settings {
        Stage.Settings(
            top: SimulatedAPI.setting + #"ingress: { class: "sluice", \#(ingress) },"#,
            replicas: 4,
            pools: #"f: { replicas: ["10.1.0.4:5000"], slowStart: "0s" }"#,
            routes: #"{ name: "file", pool: "f", host: "file.example" }"#
        )
    }

    /// A gateway that serves Ingresses, and the API.
    private func stage(
        _ settings: Stage.Settings? = nil,
        machine: Machine = Machine(),
        _ prepare: (SimulatedAPI) -> Void
    ) throws -> (Stage, SimulatedAPI) {
        var api: SimulatedAPI?
        let stage = try Stage(settings ?? self.settings(), machine: machine) { world in
            let made = SimulatedAPI(in: world)
            prepare(made)
            api = made
        }
        stage.pass(.seconds(3))
        return (stage, try #require(api))
    }

    private func putIngress(
        _ api: SimulatedAPI,
        _ name: String,
        host: String = "a.example",
        path: String = "/",
        service: String = "model",
        more: String = "",
        annotations: String = "{}",
        at time: String = "2026-01-01T00:00:00Z"
    ) {
        api.store.put(
            "\(Self.ingresses)/\(name)",
            """
            {"metadata":{"annotations":\(annotations),"creationTimestamp":"\(time)"},
             "spec":{"ingressClassName":"sluice",\(more)"rules":[{"host":"\(host)","http":{"paths":[
              {"path":"\(path)","pathType":"Prefix","backend":{"service":{"name":"\(service)",
               "port":{"number":80}}}}]}}]}}
            """
        )
    }

    private func putService(_ api: SimulatedAPI, _ name: String = "model", more: String = "") {
        api.store.put(
            "\(Self.services)/\(name)",
            #"{"spec":{"ports":[{"name":"http","port":80}]}\#(more)}"#
        )
    }

    /// A Service with one pod, and an Ingress that leads to it.
    private func putAll(_ api: SimulatedAPI) {
        putService(api)
        api.putSlice([SimulatedAPI.ready(0)])
        putIngress(api, "one")
    }

    private func status(_ stage: Stage, _ host: String, _ path: String = "/") throws -> Int {
        try stage.ask(head("GET \(path) HTTP/1.1", "Host: \(host)")).status
    }

    private func problems(_ stage: Stage) -> [String] {
        (stage.gateway.ingressReport?.problems ?? []).map { "\($0.ingress.name) \($0.reason)" }
    }

    @Test func `an Ingress leads to the pods of its Service, the file's routes stay`() throws {
        let (stage, _) = try stage { putAll($0) }
        #expect(try status(stage, "a.example") == 200)
        #expect(stage.replicas[0].requests.count == 1)
        #expect(try status(stage, "file.example") == 200)
        #expect(stage.replicas[3].requests.count == 1)
        #expect(try status(stage, "other.example") == 404)
        #expect(problems(stage) == [])
        #expect(stage.gateway.ingressReport?.ingresses == 1)
    }

    @Test func `what changes in the API changes here`() throws {
        let (stage, api) = try stage { putAll($0) }
        putIngress(api, "two", host: "b.example")
        stage.pass(.seconds(1))
        #expect(try status(stage, "b.example") == 200)
        putIngress(api, "two", host: "c.example")
        stage.pass(.seconds(1))
        #expect(try status(stage, "b.example") == 404)
        #expect(try status(stage, "c.example") == 200)
        api.store.remove("\(Self.ingresses)/one")
        api.store.remove("\(Self.ingresses)/two")
        stage.pass(.seconds(1))
        #expect(try status(stage, "a.example") == 404)
        #expect(try status(stage, "c.example") == 404)
        #expect(stage.gateway.configuration.pools.map(\.name) == ["f"])
    }

    @Test func `changes that follow each other closely are applied together`() throws {
        let (stage, api) = try stage { putAll($0) }
        let before = stage.gateway.generation
        for number in 0..<50 { putIngress(api, "more-\(number)", host: "h\(number).example") }
        stage.pass(.seconds(2))
        #expect(stage.gateway.generation - before <= 2)
        #expect(try status(stage, "h49.example") == 200)
    }

    @Test func `a status of an object is no change of the configuration`() throws {
        let (stage, api) = try stage { putAll($0) }
        let before = stage.gateway.generation
        putIngress(api, "one", annotations: #"{"note":"x"}"#)
        stage.pass(.seconds(2))
        #expect(stage.gateway.generation == before)
    }

    @Test func `a request in flight outlives every change`() throws {
        let (stage, api) = try stage { putAll($0) }
        stage.replica.answer = { _, _ in [.wait(.seconds(5)), .send(ScriptedReplica.ok("late"))] }
        let client = stage.client()
        client.send(head("GET / HTTP/1.1", "Host: a.example"))
        stage.pass(.milliseconds(500))
        putIngress(api, "one", host: "else.example")
        stage.pass(.seconds(1))
        api.store.remove("\(Self.ingresses)/one")
        stage.pass(.seconds(1))
        stage.run(within: .seconds(10)) { !client.answers.isEmpty }
        #expect(client.answers.first?.text == "late")
    }

    @Test func `the gateway is not ready before it knows the Ingresses`() throws {
        let (stage, api) = try stage { api in
            putAll(api)
            api.store.instead = { seen in
                seen.target.contains("/ingresses?")
                    ? APIStandIn.whole(503, APIStandIn.status(503, "Unavailable", "starting"))
                    : nil
            }
        }
        #expect(!stage.gateway.isReady)
        #expect(try status(stage, "file.example") == 200)
        api.store.instead = { _ in nil }
        stage.pass(.seconds(31))
        #expect(stage.gateway.isReady)
        #expect(try status(stage, "a.example") == 200)
    }

    @Test func `an API that has just started is not taken at its first word`() throws {
        let (stage, _) = try stage { api in
            putAll(api)
            api.store.instead = { [unowned api] seen in
                // It does not know its own roles yet.
                let isEarly = api.store.requests.count { $0.target.contains("ingresses") } < 3
                guard isEarly, seen.target.contains("ingresses") else { return nil }
                let why = "RBAC: clusterrole \"sluice-ingress\" not found"
                return APIStandIn.whole(403, APIStandIn.status(403, "Forbidden", why))
            }
        }
        #expect(stage.log.contains { $0.contains("lacks the verb `list` on ingresses") })
        #expect(stage.gateway.isReady)
        #expect(try status(stage, "a.example") == 200)
        // Nothing was handed on before the Ingresses were known.
        #expect(stage.gateway.generation == 2)
    }

    @Test func `what may not be read is told, and the rest is served`() throws {
        let (stage, _) = try stage { api in
            putAll(api)
            api.store.forbidden = ["list secrets", "list ingressclasses"]
        }
        #expect(stage.gateway.isReady)
        #expect(try status(stage, "a.example") == 200)
        #expect(stage.log.contains { $0.contains("lacks the verb `list` on secrets") })
        #expect(stage.log.contains { $0.contains("a ClusterRole must grant it") })
    }

    @Test func `a path that two claim is the older one's, and the younger is told`() throws {
        let (stage, api) = try stage { api in
            putAll(api)
            putService(api, "other")
            putIngress(api, "a-young", service: "other", at: "2026-02-01T00:00:00Z")
        }
        #expect(try status(stage, "a.example") == 200)
        #expect(stage.replicas[0].requests.count == 1)
        #expect(problems(stage) == ["a-young PathTaken"])
        let paths = api.store.paths(below: Self.events)
        #expect(paths.count == 1)
        let event = api.store.object(at: try #require(paths.first))
        #expect(event?["reason"] as? String == "PathTaken")
        let object = event?["involvedObject"] as? [String: Any]
        #expect(object?["name"] as? String == "a-young")
    }

    @Test func `a missing Service is answered with 503 at once, until it is there`() throws {
        let (stage, api) = try stage { api in
            putAll(api)
            putIngress(api, "two", host: "b.example", service: "gone")
        }
        #expect(problems(stage) == ["two ServiceNotFound"])
        let before = stage.world.now
        #expect(try status(stage, "b.example") == 503)
        #expect(stage.world.now - before < .seconds(1))
        #expect(try status(stage, "a.example") == 200)
        putService(api, "gone")
        api.store.put(
            "\(SimulatedAPI.slices)/gone-1",
            """
            {"metadata":{"labels":{"kubernetes.io/service-name":"gone"}},"addressType":"IPv4",
             "endpoints":[\(SimulatedAPI.ready(1))],"ports":[{"name":"http","port":5000}]}
            """
        )
        stage.pass(.seconds(2))
        #expect(problems(stage) == [])
        #expect(try status(stage, "b.example") == 200)
    }

    @Test func `annotations set what they say, wrong ones are told and change nothing`() throws {
        let (stage, _) = try stage { api in
            putService(api)
            let annotations = """
                {"sluice.dev/concurrency":"7","sluice.dev/queue-limit":"11",
                 "sluice.dev/timeout":"9s","sluice.dev/idempotent":"true",
                 "sluice.dev/policy":"nonsense","other":"x"}
                """
            putIngress(api, "one", annotations: annotations)
        }
        let pool = try #require(stage.gateway.configuration.pools.last)
        #expect(pool.name == "sluice.model.80")
        #expect(pool.settings.concurrency == 7)
        #expect(pool.settings.queue.limit == 11)
        let route = try #require(stage.gateway.configuration.routes.last)
        #expect(route.timeout == .seconds(9))
        #expect(route.idempotent)
        #expect(problems(stage) == ["one BadAnnotation"])
        #expect(stage.gateway.ingressReport?.problems.first?.message.contains("policy") == true)
    }

    @Test func `its status tells where the gateway's Service can be reached`() throws {
        let machine = Machine(readFile: { path, _ in
            path == ServiceAccount.namespaceFile ? Array("sluice".utf8) : nil
        })
        let (stage, api) = try stage(machine: machine) { api in
            putAll(api)
            let places = #","status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}"#
            putService(api, "sluice", more: places)
        }
        let ip = { () -> String? in
            let status = api.store.object(at: "\(Self.ingresses)/one")?["status"] as? [String: Any]
            let balancer = status?["loadBalancer"] as? [String: Any]
            return (balancer?["ingress"] as? [[String: Any]])?.first?["ip"] as? String
        }
        #expect(ip() == "203.0.113.7")
        let patches = { api.store.requests.count { $0.method == "PATCH" } }
        #expect(patches() == 1)
        stage.pass(.seconds(300))
        #expect(patches() == 1)
        let other = #","status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.8"}]}}"#
        putService(api, "sluice", more: other)
        stage.pass(.seconds(2))
        #expect(ip() == "203.0.113.8")
    }

    @Test func `what may not be written is told, and not tried again in a hurry`() throws {
        let (stage, api) = try stage(settings(#"https: "off", publish: "sluice/lb""#)) { api in
            putAll(api)
            let places = #","status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}"#
            putService(api, "lb", more: places)
            api.store.forbidden = ["patch ingresses"]
        }
        stage.pass(.seconds(120))
        #expect(api.store.requests.count { $0.method == "PATCH" } == 1)
        #expect(
            stage.log.contains {
                $0.contains("lacks the verb `patch` on ingresses.networking.k8s.io/status")
            }
        )
        #expect(try status(stage, "a.example") == 200)
        api.store.forbidden = []
        stage.pass(.seconds(300))
        #expect(api.store.requests.count { $0.method == "PATCH" } == 2)
    }

    @Test func `only the namespaces that are named are watched`() throws {
        let text = #"https: "off", namespaces: ["sluice"]"#
        let (stage, api) = try stage(settings(text)) { api in
            putAll(api)
            api.store.put(
                "/apis/networking.k8s.io/v1/namespaces/else/ingresses/x",
                #"{"spec":{"ingressClassName":"sluice","rules":[]}}"#
            )
        }
        #expect(stage.gateway.ingressReport?.ingresses == 1)
        let targets = api.store.requests.map(\.target)
        #expect(!targets.contains { $0.hasPrefix("/apis/networking.k8s.io/v1/ingresses?") })
        #expect(targets.contains { $0.contains("fieldSelector=type%3Dkubernetes.io%2Ftls") })
    }

    private static let authority = Result { try TestAuthority() }

    private func putSecret(
        _ api: SimulatedAPI,
        _ name: String,
        _ pair: TestAuthority.Pair,
        key: String? = nil
    ) throws {
        let text = { (path: String) in
            try Data(contentsOf: URL(fileURLWithPath: path)).base64EncodedString()
        }
        let own = try key ?? text(pair.key)
        api.store.put(
            "\(Self.secrets)/\(name)",
            """
            {"type":"kubernetes.io/tls",
             "data":{"tls.crt":"\(try text(pair.certificate))","tls.key":"\(own)"}}
            """
        )
    }

    @Test func `certificates of Secrets are shown, bad ones keep no good one from it`() throws {
        let authority = try Self.authority.get()
        let good = try authority.sign("ingress-good", names: ["a.example"])
        let other = try authority.sign("ingress-other", names: ["b.example"])
        let weak = try authority.sign("ingress-weak", names: ["w.example"], bits: 512)
        var made: [String] = []
        let (stage, api) = try stage(settings(#"https: "10.0.0.1:8443""#)) { api in
            putAll(api)
            do {
                try putSecret(api, "good", good)
                let wrong = try Data(contentsOf: URL(fileURLWithPath: other.key))
                try putSecret(api, "mixed", good, key: wrong.base64EncodedString())
                try putSecret(api, "weak", weak)
                made = ["good", "mixed", "weak"]
            } catch {
                Issue.record(error)
            }
            let tls = (made + ["gone"]).map { #"{"secretName":"\#($0)"}"# }.joined(separator: ",")
            putIngress(api, "one", more: #""tls":[\#(tls)],"#)
        }
        // The world's clock is not the one that the certificates were made by.
        let words = {
            (stage.gateway.ingressReport?.problems ?? []).map(\.message).filter {
                !$0.contains("sluice/good")
            }
        }
        #expect(words().count == 3)
        #expect(words().contains { $0.contains("there is no Secret sluice/gone") })
        #expect(words().contains { $0.contains("is not the key of the certificate") })
        #expect(words().contains { $0.contains("sluice/weak") })
        #expect(stage.gateway.expiries.map(\.name) == ["self-signed", "secret sluice/good"])
        #expect(stage.gateway.doors.last?.terms.tls != nil)
        #expect(try status(stage, "a.example") == 200)
        try putSecret(api, "mixed", other)
        stage.pass(.seconds(1))
        #expect(stage.gateway.expiries.count == 3)
        #expect(!words().contains { $0.contains("is not the key of the certificate") })
    }
}
