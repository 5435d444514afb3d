// Runs a command line and keeps what it says.

@testable import sluice

/// What a command line ended with and said.
struct Said {
    let code: ExitCode
    let output: String
    let errors: String

    init(_ words: [String]) {
        let listener = Listener()
        code = Listener.$current.withValue(listener) { run(words) }
        output = listener.output
        errors = listener.errors
    }
}
