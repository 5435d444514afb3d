// The command line: which command, which file, and what is said when that is unclear.

internal import Configuration
internal import Foundation
internal import Transport

/// Why a file could not be taken.
struct LoadFailure: Error {
    let text: String
}

/// Runs what the arguments ask for.
func run(_ arguments: [String]) -> ExitCode {
    guard arguments.count == 2, arguments[0] == "serve" else {
        complain("usage: sluice serve FILE")
        return .usage
    }
    do throws(LoadFailure) {
        let configuration = try loadConfiguration(arguments[1])
        return Serve(configuration: configuration, file: arguments[1]).run()
    } catch {
        complain(error.text)
        return .wrongInput
    }
}

/// Reads and checks a file.
func loadConfiguration(_ file: String) throws(LoadFailure) -> Configuration {
    guard let data = FileManager.default.contents(atPath: file) else {
        throw LoadFailure(text: "\(file): cannot be read")
    }
    let loaded = Configuration.load(
        text: String(decoding: data, as: UTF8.self), file: file,
        environment: ProcessInfo.processInfo.environment)
    guard let configuration = loaded.configuration else {
        throw LoadFailure(text: loaded.diagnostics.map(\.description).joined(separator: "\n"))
    }
    return configuration
}

/// Says something on standard error.
func complain(_ text: String, raw: Bool = false) {
    FileHandle.standardError.write(Data((raw ? text : "sluice: \(text)\n").utf8))
}
