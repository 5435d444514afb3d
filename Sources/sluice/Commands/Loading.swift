// From the name of a file to a configuration, or to what is wrong with it.

internal import Configuration
internal import FoundationEssentials
internal import Gateway
internal import Glibc
internal import Transport

/// Why a file could not be taken.
struct LoadFailure: Error, Equatable {
    /// Each problem with its place.
    let text: String
}

/// Reads a file, or standard input for `-`; not longer than a configuration may be, and a bit.
func readText(_ file: String) throws(LoadFailure) -> String {
    do throws(SystemError) {
        let path = file == "-" ? nil : file
        let bytes = try readBeginning(of: path, upTo: Configuration.fileBytesMax + 1)
        return String(decoding: bytes, as: UTF8.self)
    } catch {
        switch error.code {
        case ENOENT: throw LoadFailure(text: "\(file): no such file")
        case EACCES: throw LoadFailure(text: "\(file): no permission to read it")
        default: throw LoadFailure(text: "\(file): cannot be read")
        }
    }
}

/// Reads and checks a file; what it says may be in order or not.
func load(_ file: String) throws(LoadFailure) -> LoadedConfiguration {
    Configuration.load(
        text: try readText(file),
        file: file == "-" ? "standard input" : file,
        environment: ProcessInfo.processInfo.environment
    )
}

/// Reads and checks a file, which must be in order; its warnings go to `warn`.
///
/// `ingressClass` is the class that the command line asks for; the file may say the rest.
func loadConfiguration(
    _ file: String,
    ingressClass: String? = nil,
    warn: (String) -> Void
) throws(LoadFailure) -> Configuration {
    let loaded = try load(file)
    guard var configuration = loaded.configuration else {
        throw LoadFailure(text: loaded.diagnostics.map(\.description).joined(separator: "\n"))
    }
    for warning in loaded.diagnostics { warn(warning.description) }
    if let ingressClass {
        var ingress = configuration.ingress ?? Configuration.Ingress(className: ingressClass)
        ingress.className = ingressClass
        configuration.serveIngress(ingress)
    }
    return configuration
}

/// Reads what a configuration's TLS needs, all of which must be in order; what expires soon goes
/// to `warn`, and so does what is `inForce` and has expired.
func loadMaterial(
    for configuration: Configuration,
    _ tickets: TLSTickets,
    adding added: [TLSCertificate] = [],
    inForce: Set<CertificateIdentity> = [],
    warn: (String) -> Void
) throws(LoadFailure) -> TLSMaterial {
    let now = wallClockNanoseconds() / 1_000_000_000
    let loaded = TLSMaterial.load(
        for: configuration,
        tickets: tickets,
        adding: added,
        inForce: inForce,
        at: now
    )
    for warning in loaded.warnings { warn("warning: \(warning)") }
    guard let material = loaded.material else {
        let lines = loaded.problems.map { "error: \($0)" }
        throw LoadFailure(text: lines.joined(separator: "\n"))
    }
    return material
}

/// The state of every file that a configuration's TLS names; nil while one of them is missing.
func materialStamps(of configuration: Configuration) -> [FileStamp]? {
    let files = TLSMaterial.files(of: configuration)
    let stamps = files.compactMap { FileStamp(of: $0) }
    return stamps.count == files.count ? stamps : nil
}
