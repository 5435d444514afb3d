// Where the built programs and the files of the repository are.

import Foundation

/// The places the tests start from.
enum Places {
    /// The repository: two folders above this file.
    static let repository: URL =
        URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Where the programs lie: beside the test bundle, `.build/<configuration>/`.
    static let programs: URL =
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        .deletingLastPathComponent()

    static let sluice = programs.appendingPathComponent("sluice").path
    static let stubReplica = programs.appendingPathComponent("StubReplica").path
    /// The virtual environment that `make test` sets up.
    static let python = repository.appendingPathComponent(".venv/bin/python").path
    static let gunicorn = repository.appendingPathComponent(".venv/bin/gunicorn").path
    static let worker = repository.appendingPathComponent("docker/worker")
    static let model = worker.appendingPathComponent("model.joblib").path
    static let conf = repository.appendingPathComponent("conf")
}
