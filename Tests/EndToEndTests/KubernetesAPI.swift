// A stand-in for Kubernetes' API in a process of its own, as a test sees it: on real TLS sockets,
// and with the credentials of a pod.

import Certificates
import Foundation

/// A running stand-in.
final class KubernetesAPI {
    /// What the stand-in was asked.
    struct Seen: Decodable {
        var method: String
        var target: String
        var token: String
        var status: Int
    }

    private let stage: Stage
    private let authority: TestAuthority
    private let server: TestAuthority.Pair
    private let tokenFile: String
    private(set) var child: Child
    private var port = "0"
    private var control = ""

    /// Where objects of a kind are, in the namespace `models`.
    static let slices = "/apis/discovery.k8s.io/v1/namespaces/models/endpointslices"
    static let ingresses = "/apis/networking.k8s.io/v1/namespaces/models/ingresses"
    static let classes = "/apis/networking.k8s.io/v1/ingressclasses"
    static let services = "/api/v1/namespaces/models/services"
    static let secrets = "/api/v1/namespaces/models/secrets"
    static let events = "/api/v1/namespaces/models/events"

    fileprivate init(on stage: Stage) async throws {
        self.stage = stage
        authority = try TestAuthority("Kubernetes")
        server = try authority.sign("apiserver", names: ["kubernetes", "IP:127.0.0.1"])
        tokenFile = try stage.write("first\n", to: "token")
        child = try Self.start(on: stage, server, port: port, version: 1000)
        try await findPlaces()
    }

    private static func start(
        on stage: Stage,
        _ server: TestAuthority.Pair,
        port: String,
        version: Int
    ) throws -> Child {
        let script = Places.repository.appendingPathComponent(
            "Tests/EndToEndTests/kubernetes_api.py"
        )
        return try stage.start(
            "python3",
            [script.path, server.certificate, server.key, "first", port, String(version)]
        )
    }

    private func findPlaces() async throws {
        let child = child
        let found = try await eventually("a listening API") {
            child.outputText.firstMatch(of: /serving at (\d+), told at (\S+)\n/)
        }
        (port, control) = (String(found.1), String(found.2))
    }

    /// Starts it again at the same place: without its objects, and later versions only.
    func startAgain() async throws {
        child.end()
        child = try Self.start(on: stage, server, port: port, version: 100_000)
        try await findPlaces()
    }

    // MARK: what a pod is given

    /// The variables of a pod.
    var environment: [String: String] {
        ["KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": port]
    }

    /// Where the files of the service account are.
    var setting: String {
        "kubernetes: { tokenFile: \"\(tokenFile)\", caFile: \"\(authority.certificate)\" },"
    }

    /// Replaces the token, as the kubelet does.
    func rotateToken(to token: String) throws { _ = try stage.write(token, to: "token") }

    // MARK: what it is told

    private func tell(_ method: String, _ path: String, _ body: String? = nil) async throws
        -> Data
    {
        let reply = try await ask(control, method, path, body: body)
        guard reply.status == 200 else {
            throw Missing(description: "\(method) \(path): \(reply.status) \(child.errorText)")
        }
        return Data(reply.body.utf8)
    }

    func put(_ path: String, _ json: String) async throws { _ = try await tell("PUT", path, json) }
    func remove(_ path: String) async throws { _ = try await tell("DELETE", path) }
    func take(tokens: [String]) async throws { try await set("/tokens", tokens) }
    func forbid(_ what: String...) async throws { try await set("/forbid", what) }
    func endWatches() async throws { try await set("/end", []) }

    private func set(_ path: String, _ list: [String]) async throws {
        let text = String(decoding: try JSONEncoder().encode(list), as: UTF8.self)
        _ = try await tell("POST", path, text)
    }

    /// What it was asked so far.
    func seen() async throws -> [Seen] {
        try JSONDecoder().decode([Seen].self, from: await tell("GET", "/seen"))
    }

    /// The object at a path, or those below one, as JSON without blanks at names.
    func text(at path: String) async throws -> String {
        String(decoding: try await tell("GET", path), as: UTF8.self)
    }

    /// Puts a slice with one endpoint of the Service `model`; its port is named `http`.
    func putSlice(_ name: String, _ replica: StubReplica, ending: Bool = false) async throws {
        let port = replica.address.split(separator: ":").last ?? ""
        try await put(
            "\(Self.slices)/\(name)",
            """
            {"metadata":{"labels":{"kubernetes.io/service-name":"model"}},"addressType":"IPv4",
             "ports":[{"name":"http","port":\(port),"protocol":"TCP"}],
             "endpoints":[{"addresses":["127.0.0.1"],
              "conditions":{"ready":\(!ending),"serving":true,"terminating":\(ending)}}]}
            """
        )
    }
}

extension Stage {
    /// Starts a stand-in for Kubernetes' API that takes the token `first`.
    func kubernetesAPI() async throws -> KubernetesAPI { try await KubernetesAPI(on: self) }
}
