// What one test starts, and that nothing of it is left behind.

import Foundation
import Glibc
import Testing

/// The programs of one test and a folder for their files.
final class Stage {
    let folder: URL
    private var children: [Child] = []

    fileprivate init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("sluice-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    /// Starts a program.
    func start(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        named name: String? = nil
    ) throws -> Child {
        let child = try Child(
            program,
            arguments,
            environment: environment,
            in: folder,
            named: "\(children.count)-\(name ?? (program as NSString).lastPathComponent)"
        )
        children.append(child)
        return child
    }

    /// Runs a program to its end.
    func run(
        _ program: String,
        _ arguments: [String],
        within limit: Duration = .seconds(30)
    ) async throws -> (code: Int32, output: String, errors: String) {
        let child = try start(program, arguments)
        let code = try await child.exitCode(within: limit)
        return (code, child.outputText, child.errorText)
    }

    /// Writes a file into the test's folder; returns its path.
    func write(_ text: String, to name: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try text.write(to: file, atomically: true, encoding: .utf8)
        return file.path
    }

    /// Ends what still runs; processes that sluice started end with it.
    fileprivate func clear(showing isFailed: Bool) {
        for child in children.reversed() {
            child.end()
            if isFailed { print("--- \(child.name)\n\(child.errorText.suffix(4000))") }
        }
        // Left over files harm nobody.
        try? FileManager.default.removeItem(at: folder)
    }
}

/// Gives a test a stage, and clears it whatever happens.
func onStage(_ body: (Stage) async throws -> Void) async throws {
    let stage = try Stage()
    do {
        try await body(stage)
    } catch {
        stage.clear(showing: true)
        throw error
    }
    stage.clear(showing: false)
}
