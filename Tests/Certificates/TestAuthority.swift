// Certificates made while the tests run, by the openssl command: no key is ever kept.

import Foundation

/// An authority with a folder for what it signs; both last as long as the value is held.
public final class TestAuthority: Sendable {
    /// Where its files are.
    public let folder: URL

    /// A certificate and its key, as paths.
    public struct Pair: Sendable {
        /// Where the certificate is.
        public let certificate: String
        /// Where its key is.
        public let key: String
    }

    /// Why openssl did not do what it was told.
    public struct Failure: Error, CustomStringConvertible {
        /// The command and what it said.
        public let description: String
    }

    /// The path of its own certificate.
    public var certificate: String { path("ca.pem") }

    /// Makes its key and its certificate.
    public init(_ name: String = "Test Authority") throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sluice-ca-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try makeKey("ca")
        try openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            path("ca.key"),
            "-out",
            path("ca.pem"),
            "-days",
            "30",
            "-subj",
            "/O=Tests/CN=\(name)"
        )
    }

    deinit {
        // Left over files harm nobody.
        try? FileManager.default.removeItem(at: folder)
    }

    /// A file of the folder.
    public func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    /// Signs a certificate for `names`: DNS names, or addresses written `IP:127.0.0.1`.
    ///
    /// `days` below zero: it has expired. `bits`: an RSA key of that size instead of P-256.
    public func sign(
        _ file: String,
        names: [String] = ["localhost", "IP:127.0.0.1"],
        subject: String? = nil,
        days: Int = 30,
        bits: Int? = nil
    ) throws -> Pair {
        try makeKey(file, bits: bits)
        let alternatives = names.map { $0.contains(":") ? $0 : "DNS:\($0)" }
        let extensions = path("\(file).ext")
        try "subjectAltName=\(alternatives.joined(separator: ","))\n"
            .write(toFile: extensions, atomically: true, encoding: .utf8)
        let request = try request(file, for: subject ?? "/CN=\(names.first ?? file)")
        try openssl(
            "x509",
            "-req",
            "-in",
            request,
            "-CA",
            certificate,
            "-CAkey",
            path("ca.key"),
            "-set_serial",
            String(UInt64.random(in: 1...UInt64(Int64.max))),
            "-out",
            path("\(file).pem"),
            "-days",
            String(days),
            "-extfile",
            extensions
        )
        return Pair(certificate: path("\(file).pem"), key: path("\(file).key"))
    }

    /// Asks for a certificate, with the key of that name; the path of the request.
    private func request(_ file: String, for subject: String) throws -> String {
        let request = path("\(file).csr")
        try openssl(
            "req",
            "-new",
            "-key",
            path("\(file).key"),
            "-out",
            request,
            "-subj",
            subject
        )
        return request
    }

    /// A certificate for `localhost` that expires within seconds.
    public func signBriefly(_ file: String, seconds: Int) throws -> Pair {
        try makeKey(file)
        let settings = path("\(file).cnf")
        try """
        [ca]
        default_ca = brief
        [brief]
        database = \(path("\(file).txt"))
        new_certs_dir = \(folder.path)
        rand_serial = yes
        default_md = sha256
        policy = any
        x509_extensions = names
        [any]
        commonName = supplied
        [names]
        subjectAltName = DNS:localhost,IP:127.0.0.1
        """
        .write(toFile: settings, atomically: true, encoding: .utf8)
        try "".write(toFile: path("\(file).txt"), atomically: true, encoding: .utf8)
        let request = try request(file, for: "/CN=brief")
        let end = DateFormatter()
        end.dateFormat = "yyyyMMddHHmmss'Z'"
        end.timeZone = TimeZone(secondsFromGMT: 0)
        try openssl(
            "ca",
            "-batch",
            "-notext",
            "-config",
            settings,
            "-cert",
            certificate,
            "-keyfile",
            path("ca.key"),
            "-in",
            request,
            "-out",
            path("\(file).pem"),
            "-enddate",
            end.string(from: Date(timeIntervalSinceNow: Double(seconds)))
        )
        return Pair(certificate: path("\(file).pem"), key: path("\(file).key"))
    }

    /// A certificate that nobody has signed but itself.
    public func selfSigned(_ file: String, names: [String] = ["localhost"]) throws -> Pair {
        try makeKey(file)
        let alternatives = names.map { "DNS:\($0)" }.joined(separator: ",")
        try openssl(
            "req",
            "-x509",
            "-new",
            "-key",
            path("\(file).key"),
            "-out",
            path("\(file).pem"),
            "-days",
            "30",
            "-subj",
            "/CN=\(names.first ?? file)",
            "-addext",
            "subjectAltName=\(alternatives)"
        )
        return Pair(certificate: path("\(file).pem"), key: path("\(file).key"))
    }

    /// The same key, sealed with a passphrase.
    public func seal(_ key: String, with passphrase: String, as file: String) throws -> String {
        try openssl(
            "pkcs8",
            "-topk8",
            "-in",
            key,
            "-out",
            path(file),
            "-passout",
            "pass:\(passphrase)",
            "-v2",
            "aes-256-cbc",
            "-iter",
            "2048"
        )
        return path(file)
    }

    private func makeKey(_ file: String, bits: Int? = nil) throws {
        let algorithm =
            bits.map { ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:\($0)"] }
            ?? ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        try openssl(["genpkey"] + algorithm + ["-out", path("\(file).key")])
    }

    private func openssl(_ arguments: String...) throws { try openssl(arguments) }

    private func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        let errors = Pipe()
        process.standardError = errors
        try process.run()
        let text = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let words = String(decoding: text, as: UTF8.self)
            throw Failure(description: "openssl \(arguments.joined(separator: " ")): \(words)")
        }
    }
}
