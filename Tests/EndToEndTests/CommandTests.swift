// The command line: exit codes, and what is said about a file that is wrong.

import Certificates
import Foundation
import Glibc
import Testing

@Suite struct `The command` {
    @Test func `leaves with 1 and the position when the file is wrong`() async throws {
        try await onStage { stage in
            let file = try stage.write(
                """
                {
                  listeners: [{ address: "127.0.0.1:0" }],
                  pools: { model: { replicas: ["127.0.0.1:9"], concurency: 1 } },
                  routes: [{ path: "/", pool: "model" }],
                }
                """,
                to: "wrong.json5"
            )
            let (code, _, errors) = try await stage.run(Places.sluice, ["serve", file])
            #expect(code == 1)
            #expect(errors.contains("\(file):3:"))
            #expect(errors.contains("concurrency"))
        }
    }

    @Test func `reads a file from standard input, however late it comes`() async throws {
        try await onStage { stage in
            let text = "{ listeners: [{ address: '127.0.0.1:0' }], pools: {}, routes: [], x: 1 }"
            let (code, _, errors) = try await stage.run(
                "sh",
                ["-c", "(sleep 0.1; echo \"\(text)\") | '\(Places.sluice)' check -"]
            )
            #expect(code == 1)
            #expect(errors.contains("standard input:1:"), "\(errors)")
        }
    }

    @Test func `leaves with 1 when the file cannot be read`() async throws {
        try await onStage { stage in
            let (code, _, errors) = try await stage.run(
                Places.sluice,
                ["serve", "/nowhere/at-all.json5"]
            )
            #expect(code == 1)
            #expect(errors.contains("/nowhere/at-all.json5"))
        }
    }

    @Test func `leaves with 3 and the address when its port is taken, and starts nothing`()
        async throws
    {
        try await onStage { stage in
            let stub = try await stage.stub()
            let file = try stage.write(
                """
                {
                  listeners: [{ address: "\(stub.address)" }],
                  admin: { address: "127.0.0.1:0" },
                  pools: { model: { processes: { command: ["sleep", "100"], min: 1 } } },
                  routes: [{ path: "/", pool: "model" }],
                }
                """,
                to: "taken.json5"
            )
            let (code, _, errors) = try await stage.run(Places.sluice, ["serve", file])
            #expect(code == 3)
            #expect(errors.contains(stub.address))
            #expect(!errors.contains("started as process"))
        }
    }

    @Test(arguments: [[], ["serve"], ["sevre", "x"], ["serve", "--no-such-option", "x"]])
    func `leaves with 2 and points to its help when it is not understood`(
        _ arguments: [String]
    ) async throws {
        try await onStage { stage in
            let (code, _, errors) = try await stage.run(Places.sluice, arguments)
            #expect(code == 2)
            #expect(errors.contains("usage") || errors.contains("--help"))
        }
    }

    @Test(arguments: try confFiles()) func `finds nothing wrong with the sample`(
        _ name: String
    ) async throws {
        try await onStage { stage in
            let sample = Places.conf.appendingPathComponent(name)
            let text = try String(contentsOf: sample, encoding: .utf8)
            let file = try stage.write(withCertificates(text), to: name)
            let child = try stage.start(
                Places.sluice,
                ["check", file],
                environment: ["SLUICE_ADMIN_TOKEN": "a-secret-of-the-tests"]
            )
            let code = try await child.exitCode()
            #expect(code == 0, "\(child.outputText)\(child.errorText)")
        }
    }

    private static let authority = Result { try TestAuthority() }

    /// The text with certificates that are there in place of those of `/etc/sluice`.
    private func withCertificates(_ text: String) throws -> String {
        let places = try NSRegularExpression(pattern: #""(/etc/sluice/[^"]*)\.(pem|key)""#)
        var result = text
        var signed: Set<String> = []
        for match in places.matches(in: text, range: NSRange(text.startIndex..., in: text)) {
            guard let range = Range(match.range(at: 1), in: text) else { continue }
            let place = String(text[range])
            guard signed.insert(place).inserted else { continue }
            let name = place.replacingOccurrences(of: "/", with: "-")
            let pair = try Self.authority.get().sign(name)
            for (ending, file) in [("pem", pair.certificate), ("key", pair.key)] {
                result = result.replacingOccurrences(of: "\(place).\(ending)", with: file)
            }
        }
        return result
    }

    private static func confFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: Places.conf.path)
            .filter { $0.hasSuffix(".json5") }.sorted()
    }
}
