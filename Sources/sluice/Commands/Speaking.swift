// What commands say on standard output and standard error.

internal import Synchronization
internal import Transport

/// Says something on standard output.
func say(_ text: String, raw: Bool = false) {
    speak(raw ? text : "\(text)\n", to: StandardStreams.output)
}

/// Says something on standard error; without `raw`, as a line that names the program.
func complain(_ text: String, raw: Bool = false) {
    speak(raw ? text : "sluice: \(text)\n", to: StandardStreams.error)
}

private func speak(_ text: String, to stream: Int32) {
    if let listener = Listener.current { return listener.hear(text, on: stream) }
    // False: nobody listens any more, and nobody could be told so.
    _ = StandardStreams.write(Array(text.utf8), to: stream)
}

/// Hears what commands say instead of the standard streams.
final class Listener: Sendable {
    /// Who hears what the current task says; nil: the standard streams.
    @TaskLocal static var current: Listener?

    private let heard = Mutex<[Int32: String]>([:])

    fileprivate func hear(_ text: String, on stream: Int32) {
        heard.withLock { $0[stream, default: ""] += text }
    }

    /// What was said on standard output.
    var output: String { heard.withLock { $0[StandardStreams.output] ?? "" } }
    /// What was said on standard error.
    var errors: String { heard.withLock { $0[StandardStreams.error] ?? "" } }
}
