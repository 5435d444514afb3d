import Certificates
import Foundation
import Kubernetes
import Simulation
import Testing
import Transport

@testable import Gateway

/// The external metrics API, asked over TLS as the API's front proxy asks.
@Suite struct `Metrics server` {
    private static let address = Transport.Address(bytes: [10, 0, 0, 1], port: 6443)
    private static let map =
        "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"
    private static let authority = Result { try TestAuthority("Front Proxy Authority") }
    private static let other = Result { try TestAuthority("Somebody Else") }
    private static let values =
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/sluice/sluice_pool_outstanding_requests"

    private func certificate(
        _ name: String,
        by authority: TestAuthority
    ) throws -> TLSCertificate {
        let pair = try authority.sign(
            "proxy-\(UUID().uuidString)",
            names: [name],
            subject: "/CN=\(name)"
        )
        return try TLSCertificate(certificate: .file(pair.certificate), key: .file(pair.key))
    }

    private func stage(
        names: String = #"["front-proxy-client"]"#,
        _ prepare: (SimulatedAPI) -> Void = { _ in }
    ) throws -> (Stage, SimulatedAPI) {
        let pem = try String(
            contentsOfFile: Self.authority.get().certificate,
            encoding: .utf8
        )
        let data = try JSONSerialization.data(withJSONObject: [
            "data": [
                "requestheader-client-ca-file": pem, "requestheader-allowed-names": names,
            ]
        ])
        var api: SimulatedAPI?
        let settings = Stage.Settings(
            top: SimulatedAPI.setting + #"externalMetrics: { address: "10.0.0.1:6443" },"#
        )
        let stage = try Stage(
            settings,
            prepare: { world in
                let made = SimulatedAPI(in: world)
                made.store.put(Self.map, String(decoding: data, as: UTF8.self))
                prepare(made)
                api = made
            }
        )
        stage.pass(.seconds(1))
        return (stage, try #require(api))
    }

    /// Asks over TLS; nil: the connection came to nothing.
    private func ask(
        _ stage: Stage,
        _ target: String,
        _ certificate: TLSCertificate?,
        method: String = "GET"
    ) throws -> (status: Int, body: String)? {
        let client = try TLSClient(authorities: nil, certificate: certificate)
        let request =
            "\(method) \(target) HTTP/1.1\r\nHost: sluice-metrics\r\nConnection: close\r\n\r\n"
        let text = try stage.onLoop { context -> String in
            try await converse(request, with: client, at: Self.address, context)
        }
        guard let gap = text.firstRange(of: "\r\n\r\n") else { return nil }
        let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }
        return (status ?? 0, String(text[gap.upperBound...]))
    }

    @Test func `the front proxy reads a pool's figures`() throws {
        let (stage, _) = try stage()
        let proxy = try certificate("front-proxy-client", by: Self.authority.get())
        stage.replica.answer = { _, _ in [.wait(.seconds(60)), .send(ScriptedReplica.ok("x"))] }
        let clients = (0..<3).map { _ in stage.client() }
        for client in clients { client.send(head("GET / HTTP/1.1", "Host: a")) }
        stage.pass(.milliseconds(200))
        let answer = try #require(try ask(stage, Self.values + "?labelSelector=pool%3Dm", proxy))
        #expect(answer.status == 200)
        #expect(answer.body.contains(#""kind":"ExternalMetricValueList""#))
        #expect(answer.body.contains(#""metricLabels":{"pool":"m"}"#))
        #expect(answer.body.contains(#""value":"3""#))
        let none = try #require(try ask(stage, Self.values + "?labelSelector=pool%3Dx", proxy))
        #expect(none.body.contains(#""items":[]"#))
    }

    @Test func `discovery says what there is`() throws {
        let (stage, _) = try stage()
        let proxy = try certificate("front-proxy-client", by: Self.authority.get())
        let base = "/apis/external.metrics.k8s.io/v1beta1"
        let list = try #require(try ask(stage, base, proxy))
        #expect(list.status == 200)
        for metric in AutoscalingMetric.allCases { #expect(list.body.contains(metric.rawValue)) }
        #expect(try ask(stage, "\(base)/namespaces/a/nothing", proxy)?.status == 404)
        #expect(try ask(stage, "/apis/apps/v1", proxy)?.status == 404)
        #expect(try ask(stage, "\(Self.values)?labelSelector=a%20b", proxy)?.status == 400)
        #expect(try ask(stage, base, proxy, method: "DELETE")?.status == 405)
    }

    @Test func `nobody else does`() throws {
        let (stage, _) = try stage()
        #expect(try ask(stage, Self.values, nil)?.status == 401)
        #expect(try ask(stage, "/healthz", nil)?.status == 200)
        let name = try certificate("somebody", by: Self.authority.get())
        #expect(try ask(stage, Self.values, name)?.status == 403)
        let foreign = try certificate("front-proxy-client", by: Self.other.get())
        #expect(try ask(stage, Self.values, foreign) == nil)
    }

    @Test(arguments: [("[]", 200), ("", 200), ("oops", 403), (#"["a","b"]"#, 403)])
    func `the names that may ask are the API's`(names: String, status: Int) throws {
        let (stage, _) = try stage(names: names)
        let proxy = try certificate("front-proxy-client", by: Self.authority.get())
        #expect(try ask(stage, Self.values, proxy)?.status == status)
    }

    @Test func `without an authority nobody is believed`() throws {
        let (stage, api) = try stage { $0.store.remove(Self.map) }
        let proxy = try certificate("front-proxy-client", by: Self.authority.get())
        let answer = try #require(try ask(stage, Self.values, proxy))
        #expect(answer.status == 503)
        #expect(answer.body.contains("names no front proxy authority"))
        let (other, _) = try self.stage {
            $0.store.forbidden = ["list configmaps"]
        }
        #expect(try ask(other, Self.values, proxy)?.status == 503)
        #expect(other.log.contains { $0.contains("lacks the verb `list` on configmaps") })
        _ = api
    }

    @Test func `a new authority takes the old one's place`() throws {
        let (stage, api) = try stage()
        let old = try certificate("front-proxy-client", by: Self.authority.get())
        let new = try certificate("front-proxy-client", by: Self.other.get())
        let pem = try String(contentsOfFile: Self.other.get().certificate, encoding: .utf8)
        let data = try JSONSerialization.data(withJSONObject: [
            "data": ["requestheader-client-ca-file": pem]
        ])
        api.store.put(Self.map, String(decoding: data, as: UTF8.self))
        stage.pass(.seconds(1))
        #expect(try ask(stage, Self.values, old) == nil)
        #expect(try ask(stage, Self.values, new)?.status == 200)
    }
}

/// One request over TLS, and all that comes back; empty when nothing does.
private func converse(
    _ request: String,
    with client: TLSClient,
    at address: Transport.Address,
    _ context: LoopContext
) async throws -> String {
    let parking = Parking(on: context)
    let socket = try Socket.connecting(to: address, on: context)
    defer { socket.close() }
    socket.owner = parking
    guard let buffer = context.buffers.take() else { return "" }
    defer { context.buffers.giveBack(buffer) }
    let deadline = context.now + .seconds(5)
    while try !socket.finishConnecting() { await parking.park(until: deadline) }
    try socket.startTLS(with: client, to: "sluice-metrics")
    do {
        while try !socket.handshake(), context.now < deadline {
            await parking.park(until: deadline)
        }
        _ = buffer.append(Array(request.utf8).span)
        while !buffer.isEmpty {
            buffer.consume(try socket.send(buffer, from: buffer.start, to: buffer.end))
            if !buffer.isEmpty { await parking.park(until: deadline) }
        }
        buffer.clear()
        while context.now < deadline {
            switch try socket.receive(into: buffer) {
            case .bytes: continue
            case .end: return text(in: buffer)
            case .wouldBlock: await parking.park(until: deadline)
            }
        }
    } catch {
        // Refused: what came before says how far it got.
    }
    return text(in: buffer)
}

private func text(in buffer: ByteBuffer) -> String {
    var bytes: [UInt8] = []
    bytes.replace(with: buffer.bytes)
    return String(decoding: bytes, as: UTF8.self)
}
