// TLS with peers that others have written: openssl, curl, Python.

import Certificates
import Foundation
import Glibc
import Testing

/// Certificates for one test, beside its other files.
private struct Papers {
    let authority: TestAuthority
    let server: TestAuthority.Pair

    init() throws {
        authority = try TestAuthority()
        server = try authority.sign("server")
    }

    func listener(_ more: String = "") -> String {
        "tls: { certificate: \"\(server.certificate)\", key: \"\(server.key)\", \(more) }"
    }
}

@Suite struct `TLS with clients` {
    private func curl(
        _ stage: Stage,
        _ address: String,
        _ papers: Papers,
        _ options: String...
    ) async throws -> (code: Int32, output: String, errors: String) {
        try await stage.run(
            "curl",
            ["-sS", "--cacert", papers.authority.certificate, "https://\(address)/any"] + options
        )
    }

    @Test func `is spoken with curl, in versions 1.2 and 1.3 only`() async throws {
        let papers = try Papers()
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], listener: papers.listener())
            let shown = "%{http_code} %{http_version} %{ssl_verify_result}"
            for version in ["1.2", "1.3"] {
                let answer = try await curl(
                    stage,
                    sluice.address,
                    papers,
                    "--tls-max",
                    version,
                    "-o",
                    "/dev/null",
                    "-w",
                    shown
                )
                #expect(answer.output == "200 1.1 0", "\(answer.errors)")
            }
            let old = try await curl(
                stage,
                sluice.address,
                papers,
                "--tls-max",
                "1.1",
                "--ciphers",
                "DEFAULT@SECLEVEL=0"
            )
            #expect(old.code == 35)
            let plain = try await ask(sluice.address, "GET", "/")
            #expect(plain.status == 400 && plain.body.contains("use https"))
        }
    }

    @Test func `asks for certificates, and tells the replica whose`() async throws {
        let papers = try Papers()
        let caller = try papers.authority.sign("caller", subject: "/O=Callers/CN=alice")
        let stranger = try TestAuthority("Stranger").sign("stranger")
        try await onStage { stage in
            let stub = try await stage.stub("--echo", "fields")
            let sluice = try await stage.sluice(
                before: [stub],
                listener: papers.listener(
                    "clientAuth: \"require\", clientCA: \"\(papers.authority.certificate)\""
                )
            )
            let known = try await curl(
                stage,
                sluice.address,
                papers,
                "--cert",
                caller.certificate,
                "--key",
                caller.key
            )
            #expect(known.output.contains("CN=alice,O=Callers"), "\(known.output)\(known.errors)")
            let other = try await curl(
                stage,
                sluice.address,
                papers,
                "--cert",
                stranger.certificate,
                "--key",
                stranger.key
            )
            #expect(other.code != 0 && other.output.isEmpty)
            let nobody = try await curl(stage, sluice.address, papers)
            #expect(nobody.code != 0 && nobody.output.isEmpty)
        }
    }

    @Test func `resumes sessions and chooses certificates as openssl sees it`() async throws {
        let papers = try Papers()
        let named = try papers.authority.sign("named", names: ["*.models.example"])
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                listener: papers.listener(
                    """
                    certificates: [{ certificate: "\(named.certificate)", key: "\(named.key)" }]
                    """
                )
            )
            let session = stage.folder.appendingPathComponent("session").path
            func shake(_ options: String...) async throws -> String {
                let request = "GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"
                let arguments =
                    [
                        "-connect", sluice.address, "-CAfile", papers.authority.certificate,
                        "-ign_eof",
                    ]
                    + options
                let words = arguments.map { "'\($0)'" }.joined(separator: " ")
                let result = try await stage.run(
                    "sh",
                    ["-c", "printf '\(request)' | openssl s_client \(words)"]
                )
                return result.output
            }
            for version in ["-tls1_2", "-tls1_3"] {
                let first = try await shake(version, "-sess_out", session)
                #expect(first.contains("\nNew, TLSv1."), "\(first)")
                #expect(first.contains("HTTP/1.1 200 "))
                let second = try await shake(version, "-sess_in", session)
                #expect(second.contains("\nReused, TLSv1."), "\(second)")
                #expect(second.contains("HTTP/1.1 200 "))
            }
            let byName = try await shake("-servername", "a.models.example")
            #expect(byName.contains("subject=CN = *.models.example"))
            let unknown = try await shake("-servername", "other.example")
            #expect(unknown.contains("subject=CN = localhost"))
            let none = try await shake("-alpn", "h2")
            #expect(!none.contains("HTTP/1.1"))
        }
    }

    @Test func `shows RSA or ECDSA as the client's signatures want it`() async throws {
        let papers = try Papers()
        let rsa = try papers.authority.sign("rsa", bits: 2048)
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(
                before: [stub],
                listener: papers.listener(
                    "certificates: [{ certificate: \"\(rsa.certificate)\", key: \"\(rsa.key)\" }]"
                )
            )
            for (options, wanted) in [
                (["-tls1_3", "-sigalgs", "RSA-PSS+SHA256"], "Peer signature type: RSA-PSS"),
                (["-tls1_3", "-sigalgs", "ECDSA+SHA256"], "Peer signature type: ECDSA"),
                (["-tls1_3"], "Peer signature type: ECDSA"),
                (["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"], "ECDHE-RSA-AES128"),
                (["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256"], "ECDHE-ECDSA-AES128"),
            ] {
                for name in [["-servername", "localhost"], ["-noservername"]] {
                    let result = try await stage.run(
                        "openssl",
                        [
                            "s_client", "-connect", sluice.address, "-verify_return_error",
                            "-CAfile", papers.authority.certificate,
                        ] + options + name
                    )
                    #expect(result.code == 0, "\(result.errors)")
                    #expect(result.output.contains(wanted), "\(options) \(result.output)")
                }
            }
            let check = try await stage.run(Places.sluice, ["check", sluice.file])
            #expect(check.code == 0, "\(check.errors)")
            let page = try await ask(sluice.admin, "GET", "/metrics").body
            for pair in [papers.server, rsa] {
                #expect(page.contains("name=\"\(pair.certificate)\"} "))
            }
        }
    }

    @Test func `ends cleanly both ways with Python`() async throws {
        let papers = try Papers()
        try await onStage { stage in
            let stub = try await stage.stub("--bytes", "300000")
            let sluice = try await stage.sluice(before: [stub], listener: papers.listener())
            let script = try stage.write(
                """
                import socket, ssl, sys
                host, port = sys.argv[1].split(":")
                context = ssl.create_default_context(cafile=sys.argv[2])
                raw = socket.create_connection((host, int(port)))
                secure = context.wrap_socket(
                    raw, server_hostname="localhost", suppress_ragged_eofs=False)
                secure.sendall(b"GET / HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n")
                data = b""
                while True:
                    piece = secure.recv(65536)
                    if not piece:
                        break
                    data += piece
                secure.unwrap().close()
                print(len(data.split(b"\\r\\n\\r\\n", 1)[1]))
                """,
                to: "client.py"
            )
            let result = try await stage.run(
                "python3",
                [script, sluice.address, papers.authority.certificate]
            )
            #expect(result.output == "300000\n", "\(result.errors)")
        }
    }
}

@Suite struct `TLS to replicas that others have written` {
    private func pool(_ port: String, _ papers: Papers, _ more: String = "") -> String {
        """
        pools: { model: { replicas: ["localhost:\(port)"], slowStart: "0s",
          tls: { ca: "\(papers.authority.certificate)", \(more) } } },
        routes: [{ path: "/", pool: "model" }],
        """
    }

    @Test func `is spoken with openssl's server, mutually`() async throws {
        let papers = try Papers()
        let own = try papers.authority.sign("own", subject: "/CN=gateway")
        try await onStage { stage in
            let server = try stage.start(
                "openssl",
                [
                    "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
                    papers.server.certificate, "-key", papers.server.key, "-Verify", "2",
                    "-CAfile", papers.authority.certificate, "-verify_return_error",
                ]
            )
            let port = try await eventually("a listening openssl") {
                server.outputText.firstMatch(of: /ACCEPT \S*:(\d+)\n/).map { String($0.1) }
            }
            let sluice = try await stage.sluice(
                pool(port, papers, "certificate: \"\(own.certificate)\", key: \"\(own.key)\"")
            )
            try await sluice.waitsForReady(1)
            let answer = try await ask(sluice.address, "GET", "/")
            #expect(answer.status == 200)
            #expect(answer.body.contains(/CN ?= ?gateway/), "\(answer.body)")
        }
    }

    @Test func `is refused to a server of another name`() async throws {
        let papers = try Papers()
        try await onStage { stage in
            let server = try stage.start(
                "openssl",
                [
                    "s_server", "-accept", "127.0.0.1:0", "-www", "-cert",
                    papers.server.certificate, "-key", papers.server.key,
                ]
            )
            let port = try await eventually("a listening openssl") {
                server.outputText.firstMatch(of: /ACCEPT \S*:(\d+)\n/).map { String($0.1) }
            }
            let sluice = try await stage.sluice(
                pool(port, papers, #"serverName: "other.example""#)
            )
            try await sluice.waits(for: "TLS: the peer's certificate: hostname mismatch")
            #expect(try await sluice.replicas() == 0)
        }
    }
}

@Suite struct `Certificates of a running gateway` {
    @Test func `are replaced under load, and no request fails`() async throws {
        let papers = try Papers()
        let next = try papers.authority.sign("next")
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], listener: papers.listener())
            let load = try stage.start(
                "python3",
                [
                    try stage.write(loadScript, to: "load.py"), sluice.address,
                    papers.authority.certificate, stage.folder.appendingPathComponent("stop").path,
                ]
            )
            try await eventually("the load") { load.outputText.contains("going") }
            for (from, to) in [
                (next.key, papers.server.key),
                (next.certificate, papers.server.certificate),
            ] {
                let data = try Data(contentsOf: URL(fileURLWithPath: from))
                try data.write(to: URL(fileURLWithPath: to), options: .atomic)
            }
            try await sluice.waits(for: "certificates and keys were read again")
            sluice.child.send(SIGHUP)
            try await sluice.waits(for: "nothing has changed")
            try await eventually("a new certificate") { load.outputText.contains("second") }
            _ = try stage.write("", to: "stop")
            #expect(try await load.exitCode(within: .seconds(20)) == 0)
            #expect(load.outputText.contains("errors 0"), "\(load.outputText)")
        }
    }

    @Test func `stay when their files are replaced by bad ones`() async throws {
        let papers = try Papers()
        let other = try papers.authority.sign("other")
        try await onStage { stage in
            let stub = try await stage.stub()
            let sluice = try await stage.sluice(before: [stub], listener: papers.listener())
            let key = try Data(contentsOf: URL(fileURLWithPath: other.key))
            try key.write(to: URL(fileURLWithPath: papers.server.key), options: .atomic)
            let reason =
                "\(papers.server.key): is not the key of the certificate in "
                + papers.server.certificate
            try await sluice.waits(for: reason)
            let reload = try await stage.run(Places.sluice, ["reload", "--admin", sluice.admin])
            #expect(reload.code == 1)
            #expect((reload.output + reload.errors).contains(reason))
            let answer = try await stage.run(
                "curl",
                [
                    "-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert",
                    papers.authority.certificate, "https://\(sluice.address)/",
                ]
            )
            #expect(answer.output == "200")
            let check = try await stage.run(Places.sluice, ["check", sluice.file])
            #expect(check.code == 1 && check.errors.contains(reason))
            let start = try await stage.run(Places.sluice, ["serve", sluice.file])
            #expect(start.code == 3 && start.errors.contains(reason))
        }
    }

    @Test func `that have expired do not block the change of something else`() async throws {
        let papers = try Papers()
        try await onStage { stage in
            let stub = try await stage.stub()
            let brief = try papers.authority.signBriefly("brief", seconds: 6)
            let listener = "tls: { certificate: \"\(brief.certificate)\", key: \"\(brief.key)\" }"
            let sluice = try await stage.sluice(before: [stub], listener: listener)
            let warning = "\(brief.certificate): expired less than a day ago, and is in use"
            func reload() async throws -> (code: Int32, output: String, errors: String) {
                try await stage.run(Places.sluice, ["reload", "--admin", sluice.admin])
            }
            try await eventually(
                "an expired certificate",
                within: .seconds(20),
                holds: {
                    let code = try await reload().code
                    #expect(code == 0)
                    return sluice.child.errorText.contains(warning)
                }
            )
            // Something else changes.
            let file = URL(fileURLWithPath: sluice.file)
            let text = try String(contentsOf: file, encoding: .utf8)
            let changed = text.replacing("slowStart: \"0s\"", with: "slowStart: \"7s\"")
            #expect(changed != text)
            try changed.write(to: file, atomically: true, encoding: .utf8)
            let done = try await reload()
            #expect(done.code == 0 && (done.output + done.errors).contains("slowStart"))
            // What is new and has expired is refused.
            let old = try papers.authority.sign("old", days: -1)
            for (from, to) in [(old.key, brief.key), (old.certificate, brief.certificate)] {
                let data = try Data(contentsOf: URL(fileURLWithPath: from))
                try data.write(to: URL(fileURLWithPath: to), options: .atomic)
            }
            let refused = try await reload()
            #expect(refused.code == 1)
            #expect((refused.output + refused.errors).contains("expired 1 day ago"))
        }
    }

    /// Asks on new and on kept connections until a file is there.
    private let loadScript = """
        import http.client, os, ssl, sys, threading
        host, port = sys.argv[1].split(":")
        context = ssl.create_default_context(cafile=sys.argv[2])
        seen, errors, served = set(), [], [0]

        def ask(connection):
            connection.request("GET", "/")
            answer = connection.getresponse()
            if answer.status != 200 or not answer.read():
                raise RuntimeError(answer.status)
            served[0] += 1
            if served[0] == 20:
                print("going", flush=True)

        def run(keeps):
            connection = None
            while not os.path.exists(sys.argv[3]):
                try:
                    if connection is None:
                        connection = http.client.HTTPSConnection(host, int(port), context=context)
                        connection.connect()
                        seen.add(connection.sock.getpeercert(True))
                        if len(seen) == 2:
                            print("second", flush=True)
                            seen.add("told")
                    ask(connection)
                    if not keeps:
                        connection.close()
                        connection = None
                except Exception as error:
                    errors.append(repr(error))
                    connection = None

        threads = [threading.Thread(target=run, args=(keeps,)) for keeps in (True, True, False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print("errors", len(errors), errors[:3], flush=True)
        """
}
