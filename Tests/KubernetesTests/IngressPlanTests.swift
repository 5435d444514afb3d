import Testing

@testable import Kubernetes

/// An Ingress with rules as JSON.
func ingress(
    _ name: String,
    _ spec: String,
    at time: String = "2026-01-01T00:00:00Z",
    annotations: String = "{}",
    className: String? = "sluice"
) throws -> Ingress {
    let named = className.map { #""ingressClassName":"\#($0)","# } ?? ""
    let inner = spec.isEmpty ? #""rules":null"# : spec
    return try read(
        Ingress.self,
        """
        {"metadata":{"name":"\(name)","namespace":"shop","uid":"uid-\(name)",
          "creationTimestamp":"\(time)","annotations":\(annotations)},"spec":{\(named)\(inner)}}
        """
    )
}

/// One rule: a host and paths to Services, each `path type service port`.
func rule(_ host: String?, _ paths: String...) -> String {
    let list = paths.map { text in
        let words = text.split(separator: " ").map(String.init)
        let port = Int(words[3]) == nil ? #""name":"\#(words[3])""# : #""number":\#(words[3])"#
        return #"{"path":"\#(words[0])","pathType":"\#(words[1])","backend":{"service":"#
            + #"{"name":"\#(words[2])","port":{\#(port)}}}}"#
    }
    let named = host.map { #""host":"\#($0)","# } ?? ""
    return #"{\#(named)"http":{"paths":[\#(list.joined(separator: ","))]}}"#
}

/// A Service with two ports.
func service(_ name: String, more: String = "", annotations: String = "{}") throws -> Service {
    try read(
        Service.self,
        """
        {"metadata":{"name":"\(name)","namespace":"shop","annotations":\(annotations)},
         "spec":{"ports":[{"name":"http","port":80,"targetPort":8080},
                          {"name":"dns","port":53,"protocol":"UDP"}]\(more)}}
        """
    )
}

@Suite struct `Ingress plan` {
    private func plan(
        _ ingresses: [Ingress],
        services: [Service]? = nil,
        secrets: [Secret] = [],
        classes: [IngressClass] = []
    ) throws -> IngressPlan {
        let services = try services ?? [service("web"), service("api")]
        let objects = IngressObjects(
            className: "sluice",
            ingresses: ingresses,
            classes: classes,
            services: services,
            secrets: secrets
        )
        return IngressPlan(objects)
    }

    private func reasons(_ plan: IngressPlan) -> [String] {
        plan.problems.map { "\($0.ingress.name): \($0.reason)" }
    }

    @Test func `leads hosts and paths to ports of Services`() throws {
        let rules = [
            rule("A.example.com", "/v1 Prefix web 80", "/exact Exact api http"),
            rule(nil, "/ ImplementationSpecific web http"),
            rule("*.example.com", "/x/ Prefix api 80"),
        ].joined(separator: ",")
        let plan = try plan([ingress("one", #""rules":[\#(rules)]"#)])
        #expect(plan.problems == [])
        #expect(
            plan.routes.map(\.host) == [
                .exact("a.example.com"), .exact("a.example.com"), .any, .label("example.com"),
            ]
        )
        #expect(
            plan.routes.map(\.path) == [
                .prefix("/v1"), .exact("/exact"), .prefix("/"), .prefix("/x"),
            ]
        )
        #expect(
            plan.routes.map(\.pool) == [
                "shop.web.80", "shop.api.http", "shop.web.http", "shop.api.80",
            ]
        )
        #expect(plan.pools.map(\.name) == plan.routes.map(\.pool).sorted())
        #expect(plan.pools.allSatisfy { $0.port == .named("http") })
    }

    @Test func `is the same whatever the order of objects`() throws {
        let one = try ingress("one", #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#)
        let two = try ingress("two", #""rules":[\#(rule("a.com", "/ Prefix api 80"))]"#)
        let web = try service("web")
        let api = try service("api")
        let first = try plan([one, two], services: [web, api])
        #expect(try plan([two, one], services: [api, web]) == first)
    }

    @Test func `takes Ingresses of its class, and no others`() throws {
        let spec = #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#
        let foreign = try ingress("foreign", spec, className: "nginx")
        let none = try ingress("none", spec, className: nil)
        #expect(try plan([foreign, none]).routes == [])
        let old = try ingress(
            "old",
            spec,
            annotations: #"{"kubernetes.io/ingress.class":"sluice"}"#,
            className: nil
        )
        #expect(try plan([old]).routes.count == 1)
    }

    private func ingressClass(_ controller: String, isDefault: Bool) throws -> IngressClass {
        try read(
            IngressClass.self,
            """
            {"metadata":{"name":"sluice","annotations":
              {"ingressclass.kubernetes.io/is-default-class":"\(isDefault)"}},
             "spec":{"controller":"\(controller)"}}
            """
        )
    }

    @Test func `takes Ingresses without a class if its own is the default`() throws {
        let none = try ingress(
            "none",
            #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#,
            className: nil
        )
        let classes = try [ingressClass("sluice.dev/ingress", isDefault: true)]
        #expect(try plan([none], classes: classes).routes.count == 1)
        let plain = try [ingressClass("sluice.dev/ingress", isDefault: false)]
        #expect(try plan([none], classes: plain).routes == [])
    }

    @Test func `leaves a class to the controller that it names`() throws {
        let one = try ingress("one", #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#)
        let plan = try plan([one], classes: [ingressClass("other.io/x", isDefault: false)])
        #expect(plan.routes == [] && plan.ingresses == [])
        #expect(reasons(plan) == ["one: ForeignClass"])
    }

    @Test func `gives a path to the oldest Ingress that claims it`() throws {
        let spec = { (service: String) in
            let paths = ["/ Prefix \(service) 80", "/only-\(service) Exact \(service) 80"]
            return #""rules":[\#(rule("a.com", paths[0], paths[1]))]"#
        }
        let young = try ingress("a-young", spec("web"), at: "2026-02-02T00:00:00Z")
        let old = try ingress("z-old", spec("api"), at: "2026-01-01T00:00:00Z")
        let plan = try plan([young, old])
        #expect(plan.routes.count == 3)
        #expect(plan.routes.first { $0.path == .prefix("/") }?.pool == "shop.api.80")
        #expect(plan.routes.contains { $0.path == .exact("/only-web") })
        #expect(reasons(plan) == ["a-young: PathTaken"])
        #expect(
            plan.problems.first?.message
                == "a.com/ belongs to the Ingress shop/z-old, which is older"
        )
    }

    @Test func `of the same age the first by name is older`() throws {
        let spec = #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#
        let plan = try plan([ingress("b", spec), ingress("a", spec)])
        #expect(plan.routes.map(\.ingress.name) == ["a"])
        #expect(reasons(plan) == ["b: PathTaken"])
    }

    @Test func `tells Exact from Prefix, and a path that stands twice`() throws {
        let paths = ["/a Exact web 80", "/a Prefix api 80", "/a/ Prefix web 80"]
        let spec = #""rules":[\#(rule("a.com", paths[0], paths[1], paths[2]))]"#
        let plan = try plan([ingress("one", spec)])
        #expect(plan.routes.map(\.path) == [.exact("/a"), .prefix("/a")])
        #expect(reasons(plan) == ["one: PathTaken"])
        #expect(plan.problems.first?.message == "a.com/a stands here twice; the first counts")
    }

    @Test func `leads what no rule takes to a default, rules first`() throws {
        let target = #""defaultBackend":{"service":{"name":"api","port":{"number":80}}}"#
        let alone = try plan([ingress("one", target)])
        #expect(alone.routes.map(\.host) == [.any])
        #expect(alone.routes.map(\.path) == [.prefix("/")])
        let spec = #""rules":[\#(rule(nil, "/ Prefix web 80"))]"#
        let both = try plan([
            ingress("one", target), ingress("two", spec, at: "2026-03-03T00:00:00Z"),
        ])
        #expect(both.routes.map(\.pool) == ["shop.web.80"])
        #expect(reasons(both) == ["one: PathTaken"])
    }

    @Test func `keeps a path whose Service is missing, with nobody behind it`() throws {
        let spec = #""rules":[\#(rule("a.com", "/ Prefix web 80", "/x Prefix gone 80"))]"#
        let plan = try plan([ingress("one", spec)])
        #expect(plan.routes.count == 2)
        #expect(plan.pools.first { $0.name == "shop.gone.80" }?.port == nil)
        #expect(plan.pools.first { $0.name == "shop.web.80" }?.port == .named("http"))
        #expect(reasons(plan) == ["one: ServiceNotFound"])
        #expect(plan.problems.first?.message == "there is no Service shop/gone")
    }

    @Test(arguments: [
        ("/ Prefix web 81", "PortNotFound"), ("/ Prefix web nope", "PortNotFound"),
        ("/ Prefix web 53", "PortNotFound"), ("/ Prefix web dns", "PortNotFound"),
        ("/ Prefix outside 80", "ServiceWithoutPods"), ("x Prefix web 80", "BadPath"),
        ("/a?b Prefix web 80", "BadPath"), ("/ Regex web 80", "BadPath"),
    ])
    func `says what is wrong with a path`(path: String, reason: String) throws {
        let services = try [
            service("web"), service("outside", more: #","type":"ExternalName""#),
        ]
        let spec = #""rules":[\#(rule("a.com", path, "/good Exact web 80"))]"#
        let plan = try plan([ingress("one", spec)], services: services)
        #expect(reasons(plan) == ["one: \(reason)"])
        #expect(plan.routes.contains { $0.path == .exact("/good") })
    }

    @Test(arguments: ["a b", "*.*.com", "-a.com", "a..com", "*", "a.com:80", "ü.com"])
    func `says what is wrong with a host`(host: String) throws {
        let rules = rule(host, "/ Prefix web 80") + "," + rule("good.com", "/ Prefix web 80")
        let plan = try plan([ingress("one", #""rules":[\#(rules)]"#)])
        #expect(plan.routes.map(\.host) == [.exact("good.com")])
        #expect(reasons(plan) == ["one: BadHost"])
    }

    @Test func `leads to Services only`() throws {
        let spec = """
            "rules":[{"http":{"paths":[{"path":"/","pathType":"Prefix",
              "backend":{"resource":{"kind":"Bucket","name":"b"}}}]}}]
            """
        let plan = try plan([ingress("one", spec)])
        #expect(plan.routes == [])
        #expect(reasons(plan) == ["one: UnknownTarget"])
    }

    @Test func `may have nothing in it`() throws {
        let empty = try read(
            Ingress.self,
            #"{"metadata":{"name":"e","namespace":"shop"},"spec":{"ingressClassName":"sluice"}}"#
        )
        let plan = try plan([empty])
        #expect(plan.routes == [] && plan.problems == [])
        #expect(plan.ingresses.count == 1)
    }

    @Test func `hands annotations on, the Service's first`() throws {
        let web = try service("web", annotations: #"{"sluice.dev/concurrency":"9"}"#)
        let one = try ingress(
            "one",
            #""rules":[\#(rule("a.com", "/ Prefix web 80"))]"#,
            annotations: #"{"sluice.dev/timeout":"5s","sluice.dev/concurrency":"2","x":"y"}"#
        )
        let plan = try plan([one], services: [web])
        #expect(plan.pools.first?.annotations == ["timeout": "5s", "concurrency": "9"])
        #expect(plan.routes.first?.annotations == ["timeout": "5s", "concurrency": "2"])
    }

    @Test func `a pool has the settings of the oldest that leads to it, others are told`() throws {
        let spec = { (path: String) in #""rules":[\#(rule("a.com", "\(path) Prefix web 80"))]"# }
        let old = try ingress("old", spec("/a"), annotations: #"{"sluice.dev/concurrency":"2"}"#)
        let young = try ingress(
            "young",
            spec("/b"),
            at: "2026-05-05T00:00:00Z",
            annotations: #"{"sluice.dev/concurrency":"3","sluice.dev/timeout":"1s"}"#
        )
        let plan = try plan([young, old])
        #expect(plan.pools.map(\.annotations) == [["concurrency": "2"]])
        #expect(plan.routes.count == 2)
        #expect(reasons(plan) == ["young: SettingTaken"])
    }

    private func secret(_ name: String, _ data: String) throws -> Secret {
        try read(
            Secret.self,
            """
            {"metadata":{"name":"\(name)","namespace":"shop"},"type":"kubernetes.io/tls",
             "data":{\(data)}}
            """
        )
    }

    @Test func `takes certificates from Secrets, each once`() throws {
        let tls =
            #""tls":[{"hosts":["a.com"],"secretName":"s"},{"secretName":"s"},{"hosts":["b"]}]"#
        let whole = try secret("s", #""tls.crt":"Q0VSVA==","tls.key":"S0VZ""#)
        let plan = try plan([ingress("one", tls), ingress("two", tls)], secrets: [whole])
        #expect(plan.problems == [])
        #expect(plan.certificates.map { "\($0.secret)" } == ["shop/s"])
        #expect(plan.certificates.first?.certificate == Array("CERT".utf8))
        #expect(plan.certificates.first?.key == Array("KEY".utf8))
    }

    @Test(arguments: [
        (#""tls.crt":"Q0VSVA==""#, "BadSecret", "has no tls.key"),
        (#""tls.key":"S0VZ""#, "BadSecret", "has no tls.crt"),
        (#""tls.crt":"%%","tls.key":"S0VZ""#, "BadSecret", "has no tls.crt"),
        (#""tls.crt":"","tls.key":"S0VZ""#, "BadSecret", "has no tls.crt"),
    ])
    func `says what a Secret lacks`(data: String, reason: String, words: String) throws {
        let spec = #""tls":[{"secretName":"s"}],"rules":[\#(rule("a.com", "/ Prefix web 80"))]"#
        let plan = try plan([ingress("one", spec)], secrets: [secret("s", data)])
        #expect(plan.certificates == [])
        #expect(plan.routes.count == 1)
        #expect(reasons(plan) == ["one: \(reason)"])
        #expect(plan.problems.first?.message.hasSuffix(words) == true)
    }

    @Test func `says that a Secret is missing`() throws {
        let plan = try plan([ingress("one", #""tls":[{"secretName":"s"}]"#)])
        #expect(reasons(plan) == ["one: SecretNotFound"])
    }

    @Test func `long names are cut and told apart`() throws {
        let long = String(repeating: "x", count: 60)
        let services = try [service(long + "a"), service(long + "b")]
        let paths = ["/a Prefix \(long)a 80", "/b Prefix \(long)b 80"]
        let spec = #""rules":[\#(rule("a.com", paths[0], paths[1]))]"#
        let plan = try plan([ingress("one", spec)], services: services)
        #expect(Set(plan.pools.map(\.name)).count == 2)
        #expect(plan.pools.allSatisfy { $0.name.utf8.count == 64 })
    }

    @Test func `routes have a bound`() throws {
        let many = try (0..<11).map { number in
            let paths = (0..<100).map { "/p\(number)-\($0) Exact web 80" }
            let list = paths.map { path in
                let words = path.split(separator: " ")
                return #"{"path":"\#(words[0])","pathType":"Exact","backend":{"service":"#
                    + #"{"name":"web","port":{"number":80}}}}"#
            }
            let spec = #""rules":[{"http":{"paths":[\#(list.joined(separator: ","))]}}]"#
            return try ingress("i\(100 + number)", spec)
        }
        let plan = try plan(many)
        #expect(plan.routes.count == 1000)
        #expect(reasons(plan) == ["i110: TooManyRoutes"])
    }
}
