// SIGTERM and SIGINT drain, a second one stops; SIGHUP reloads.

internal import Dispatch
internal import Foundation

/// Turns signals into calls, off the loops, for as long as it lives.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []
    private let queue = DispatchQueue(label: "signals")

    /// Calls `body` for each signal of this number instead of what the system would do.
    func handle(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: body)
        source.resume()
        sources.append(source)
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
