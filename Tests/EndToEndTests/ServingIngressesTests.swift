// The gateway as the controller of an IngressClass: Kubernetes' API on real TLS sockets, clients by
// curl.

import Certificates
import Foundation
import Testing

/// A gateway that serves Ingresses, and the API it has them from.
private struct Entrance {
    let stage: Stage
    let api: KubernetesAPI
    let papers: TestAuthority
    let stub: StubReplica
    let sluice: Sluice

    /// A Service with one pod, a certificate and an Ingress for `a.example`, before the gateway
    /// starts; `prepare` changes them.
    init(_ stage: Stage, _ prepare: (KubernetesAPI) async throws -> Void = { _ in }) async throws {
        self.stage = stage
        api = try await stage.kubernetesAPI()
        papers = try TestAuthority("Entrance")
        stub = try await stage.stub()
        let pair = try papers.sign("a", names: ["a.example"])
        try await api.put(
            "\(KubernetesAPI.classes)/sluice",
            #"{"spec":{"controller":"sluice.dev/ingress"}}"#
        )
        try await api.put(
            "/api/v1/namespaces/sluice/services/sluice",
            #"{"spec":{},"status":{"loadBalancer":{"ingress":[{"ip":"203.0.113.7"}]}}}"#
        )
        try await api.put(
            "\(KubernetesAPI.services)/model",
            #"{"spec":{"ports":[{"name":"http","port":80}]}}"#
        )
        try await api.putSlice("one", stub)
        func base64(_ file: String) throws -> String {
            try Data(contentsOf: URL(fileURLWithPath: file)).base64EncodedString()
        }
        try await api.put(
            "\(KubernetesAPI.secrets)/papers",
            """
            {"type":"kubernetes.io/tls","data":{"tls.crt":"\(try base64(pair.certificate))",
             "tls.key":"\(try base64(pair.key))"}}
            """
        )
        try await Entrance.put(api, "good", tls: "papers")
        try await prepare(api)
        sluice = try await stage.sluice(
            "",
            settings: """
                \(api.setting) shutdown: { drainDelay: "0s", grace: "5s" },
                ingress: { class: "else", https: "127.0.0.2:0", publish: "sluice/sluice" },
                """,
            options: ["--ingress-class", "sluice"],
            environment: api.environment
        )
    }

    /// Puts an Ingress with one rule.
    static func put(
        _ api: KubernetesAPI,
        _ name: String,
        host: String = "a.example",
        path: String = "/predict",
        service: String = "model",
        tls: String? = nil
    ) async throws {
        let secret = tls.map { #""tls":[{"hosts":["\#(host)"],"secretName":"\#($0)"}],"# } ?? ""
        try await api.put(
            "\(KubernetesAPI.ingresses)/\(name)",
            """
            {"spec":{"ingressClassName":"sluice",\(secret)"rules":[{"host":"\(host)","http":{
             "paths":[{"path":"\(path)","pathType":"Prefix","backend":{"service":{
              "name":"\(service)","port":{"number":80}}}}]}}]}}
            """
        )
    }

    /// What curl gets: a status; 0 when there was no answer.
    func status(
        _ path: String = "/predict",
        host: String = "a.example",
        secure: Bool = false
    ) async throws -> Int {
        let address = secure ? sluice.addresses[1] : sluice.address
        let port = address.split(separator: ":").last ?? ""
        let result = try await stage.run(
            "curl",
            [
                "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", papers.certificate,
                "--connect-to", "\(host):\(port):\(address)",
                "\(secure ? "https" : "http")://\(host):\(port)\(path)",
            ]
        )
        return Int(result.output) ?? 0
    }

    /// Waits until a request is answered with a status.
    func waits(for status: Int, _ path: String, host: String = "a.example") async throws {
        try await eventually("\(status) for \(host)\(path)") {
            try await self.status(path, host: host) == status
        }
    }
}

@Suite struct `As the controller of Ingresses` {
    @Test func `serves hosts and paths, with certificates from Secrets`() async throws {
        try await onStage { stage in
            let entrance = try await Entrance(stage)
            try await entrance.waits(for: 200, "/predict")
            #expect(try await entrance.status("/predict", secure: true) == 200)
            #expect(try await entrance.status("/other") == 404)
            #expect(try await entrance.status(host: "b.example") == 404)
            // Nobody has a certificate for it: curl does not go on.
            #expect(try await entrance.status(host: "b.example", secure: true) == 0)
            #expect(try await entrance.stub.stats().served == 2)
            try await eventually("a status of the Ingress") {
                try await entrance.api.text(at: "\(KubernetesAPI.ingresses)/good")
                    .contains(#""status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.7"}]}}"#)
            }
        }
    }

    @Test func `tells what is wrong with one, and serves the others on`() async throws {
        try await onStage { stage in
            let entrance = try await Entrance(stage)
            let api = entrance.api
            try await entrance.waits(for: 200, "/predict")
            let early = try RawConnection(to: entrance.sluice.address)
            early.send(
                "GET /predict?hold=true HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
            )
            try await eventually("a request that is held") {
                try await entrance.stub.stats().inFlight == 1
            }
            try await Entrance.put(api, "lost", host: "b.example", service: "nowhere")
            try await Entrance.put(api, "late", path: "/predict")
            try await api.put(
                "\(KubernetesAPI.secrets)/bare",
                #"{"type":"kubernetes.io/tls","data":{"tls.crt":"QQ=="}}"#
            )
            try await Entrance.put(api, "bare", host: "c.example", tls: "bare")
            try await eventually("three events") {
                let events = try await api.text(at: KubernetesAPI.events)
                return events.contains(#""reason": "ServiceNotFound""#)
                    && events.contains("there is no Service models/nowhere")
                    && events.contains(#""reason": "PathTaken""#)
                    && events.contains("a.example/predict belongs to the Ingress models/good")
                    && events.contains("the Secret models/bare has no tls.key")
            }
            #expect(entrance.sluice.log.contains("models/lost: ServiceNotFound"))
            #expect(try await entrance.status(host: "b.example") == 503)
            try await entrance.stub.release()
            try await early.wait(for: "HTTP/1.1 200 ")
            #expect(try await entrance.status() == 200)
            #expect(try await entrance.status(host: "c.example") == 200)
            #expect(try await entrance.status(secure: true) == 200)
        }
    }

    @Test func `takes changes over, and keeps the last ones while the API is away`() async throws {
        try await onStage { stage in
            let entrance = try await Entrance(stage)
            try await entrance.waits(for: 200, "/predict")
            try await Entrance.put(entrance.api, "good", path: "/second")
            try await entrance.waits(for: 200, "/second")
            #expect(try await entrance.status("/predict") == 404)
            try await Entrance.put(entrance.api, "more", host: "b.example")
            try await entrance.waits(for: 200, "/predict", host: "b.example")
            try await entrance.api.remove("\(KubernetesAPI.ingresses)/more")
            try await entrance.waits(for: 404, "/predict", host: "b.example")
            entrance.api.child.end()
            try await entrance.sluice.waits(for: "what was known last stays in force")
            #expect(try await entrance.status("/second") == 200)
        }
    }

    @Test func `tells which permission is missing, and does without`() async throws {
        try await onStage { stage in
            let entrance = try await Entrance(stage) {
                try await $0.forbid("list secrets", "patch ingresses/status", "create events")
            }
            try await entrance.waits(for: 200, "/predict")
            try await entrance.sluice.waits(
                for: "cannot list secrets in all namespaces: 403: the service account lacks the "
                    + "verb `list` on secrets; a ClusterRole must grant it"
            )
            try await entrance.sluice.waits(
                for: "cannot patch ingresses.networking.k8s.io/status in namespace models: 403: "
                    + "the service account lacks the verb `patch`"
            )
            #expect(try await ask(entrance.sluice.admin, "GET", "/ready").status == 200)
        }
    }
}
