// What an autoscaler reads: the API of external metrics as Kubernetes' API server asks it, two
// gateways that add up, and the page for those who come without an API server.

import Certificates
import Foundation
import Testing

@Suite struct `Autoscaling by the work there is` {
    private static let metric =
        "/apis/external.metrics.k8s.io/v1beta1/namespaces/models/sluice_pool_outstanding_requests"

    private struct Papers {
        let authority = Result { try TestAuthority("Front proxy") }
        let other = Result { try TestAuthority("Somebody") }

        func proxy(_ name: String = "front-proxy-client") throws -> TestAuthority.Pair {
            try authority.get().sign(name, names: [name], subject: "/CN=\(name)")
        }

        func tell(_ api: KubernetesAPI) async throws {
            let pem = try String(contentsOfFile: authority.get().certificate, encoding: .utf8)
            let data = try JSONSerialization.data(withJSONObject: [
                "data": [
                    "requestheader-client-ca-file": pem,
                    "requestheader-allowed-names": #"["front-proxy-client"]"#,
                ]
            ])
            try await api.put(
                "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication",
                String(decoding: data, as: UTF8.self)
            )
        }
    }

    /// Asks the API of external metrics as curl does; the status, and what came.
    private func curl(
        _ stage: Stage,
        _ address: String,
        _ target: String,
        as pair: TestAuthority.Pair?
    ) async throws -> (code: Int32, status: String, body: String) {
        var options = ["-sSk", "--max-time", "8", "-w", "\n%{http_code}"]
        if let pair { options += ["--cert", pair.certificate, "--key", pair.key] }
        let done = try await stage.run("curl", options + ["https://\(address)\(target)"])
        let lines = done.output.split(separator: "\n", omittingEmptySubsequences: false)
        return (
            done.code, String(lines.last ?? ""), lines.dropLast().joined(separator: "\n")
        )
    }

    /// Leads `127.0.0.1:port` to a peer.
    ///
    /// A pod would have the port to itself, at an address of its own. Of two listeners at a port
    /// the system takes the one whose address is narrower.
    private func relay(_ stage: Stage, from port: String, to address: String) async throws {
        let script = """
            import asyncio, sys

            async def carry(source, sink):
                while some := await source.read(65536):
                    sink.write(some)
                    await sink.drain()
                sink.close()

            async def serve(source, sink):
                host, port = sys.argv[2].split(":")
                theirs = await asyncio.open_connection(host, int(port))
                await asyncio.gather(carry(source, theirs[1]), carry(theirs[0], sink),
                                     return_exceptions=True)

            async def main():
                await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), reuse_port=True)
                print("relaying", flush=True)
                await asyncio.Event().wait()

            asyncio.run(main())
            """
        let child = try stage.start("python3", ["-c", script, port, address])
        try await eventually("the relay") { child.outputText.contains("relaying") }
    }

    private func held(_ sluice: Sluice) throws -> RawConnection {
        let connection = try RawConnection(to: sluice.address)
        connection.send("GET /?hold=true HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        return connection
    }

    /// Two gateways before one replica: the first asks the second.
    private func gateways(
        _ stage: Stage,
        _ api: KubernetesAPI,
        before stub: StubReplica
    ) async throws -> (asking: Sluice, asked: Sluice) {
        let parts = Stage.parts(before: [stub], pool: "concurrency: 2,")
        let asked = try await stage.sluice(parts)
        let asking = try await stage.sluice(
            parts,
            settings: api.setting + """
                peers: "localhost", externalMetrics: { address: "127.0.0.1:0" },
                """,
            admin: #"address: "0.0.0.0:0", token: "secret""#,
            environment: api.environment
        )
        let port = String(asking.admin.split(separator: ":").last ?? "")
        try await relay(stage, from: port, to: asked.admin)
        return (asking, asked)
    }

    /// Where a gateway serves the API of external metrics.
    private func metrics(of sluice: Sluice) async throws -> String {
        try await eventually("the API's address") {
            sluice.log.firstMatch(of: /\ metrics listening at (\S+)\n/).map { String($0.1) }
        }
    }

    @Test func `is what two gateways have together`() async throws {
        let papers = Papers()
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            try await papers.tell(api)
            let stub = try await stage.stub()
            let (sluice, other) = try await gateways(stage, api, before: stub)
            try await sluice.waits(for: "the API's front proxy is known")
            let address = try await metrics(of: sluice)
            let proxy = try papers.proxy()
            var connections: [RawConnection] = []
            // Two of the first at work and one waiting, and two of the other.
            for gateway in [sluice, sluice, sluice, other, other] {
                connections.append(try held(gateway))
            }
            let target = Self.metric + "?labelSelector=pool%3Dmodel"
            try await eventually("all requests") {
                let reply = try await curl(stage, address, target, as: proxy)
                return reply.status == "200" && reply.body.contains(#""value":"5""#)
            }
            let page = try await ask(
                "127.0.0.2:\(sluice.admin.split(separator: ":").last ?? "")",
                "GET",
                "/autoscale/model",
                fields: ["Authorization": "Bearer secret"]
            )
            #expect(page.status == 200)
            #expect(page.body.contains(#""outstandingRequests":5"#), "\(page.body)")
            #expect(page.body.contains(#""gateways":2"#), "\(page.body)")
            let alone = try await ask(other.admin, "GET", "/autoscale/model")
            #expect(alone.body.contains(#""outstandingRequests":2"#), "\(alone.body)")

            // A peer that hangs holds nobody up, and what it said last counts.
            other.child.send(SIGSTOP)
            let hung = try await curl(stage, address, target, as: proxy)
            #expect(hung.status == "200" && hung.body.contains(#""value":"5""#), "\(hung)")
            other.child.send(SIGCONT)
            // The one that waited comes to the replica after the others' release.
            try await eventually("all answers") {
                try await stub.release()
                return try await stub.stats().served == connections.count
            }
            for connection in connections { try await connection.wait(for: "HTTP/1.1 200 ") }
        }
    }

    @Test func `is for the front proxy alone`() async throws {
        let papers = Papers()
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            try await papers.tell(api)
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: api.setting + #"externalMetrics: { address: "127.0.0.1:0" },"#,
                environment: api.environment
            )
            try await sluice.waits(for: "the API's front proxy is known")
            let address = try await metrics(of: sluice)
            let group = "/apis/external.metrics.k8s.io/v1beta1"
            let list = try await curl(stage, address, group, as: papers.proxy())
            #expect(list.status == "200" && list.body.contains(#""kind":"APIResourceList""#))
            #expect(try await curl(stage, address, Self.metric, as: nil).status == "401")
            let name = try papers.proxy("somebody")
            #expect(try await curl(stage, address, Self.metric, as: name).status == "403")
            let stranger = try papers.other.get().sign(
                "front-proxy-client",
                names: ["front-proxy-client"],
                subject: "/CN=front-proxy-client"
            )
            // No answer at all: the handshake is refused.
            #expect(try await curl(stage, address, Self.metric, as: stranger).status == "000")
        }
    }

    @Test func `is refused with the reason while the front proxy is not known`() async throws {
        try await onStage { stage in
            let api = try await stage.kubernetesAPI()
            try await api.forbid("list configmaps")
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                settings: api.setting + #"externalMetrics: { address: "127.0.0.1:0" },"#,
                environment: api.environment
            )
            try await sluice.waits(for: "lacks the verb `list` on configmaps")
            let address = try await metrics(of: sluice)
            #expect(try await curl(stage, address, "/healthz", as: nil).body == "ok")
            #expect(try await curl(stage, address, Self.metric, as: nil).status == "503")
            #expect(try await ask(sluice.address).status == 200)
        }
    }
}
