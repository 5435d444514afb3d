// SIGTERM and SIGINT drain, a second one stops; SIGHUP reloads.

internal import Dispatch
internal import Transport

/// Turns signals into calls, off the loops, for as long as it lives.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []
    private let queue = DispatchQueue(label: "signals")

    /// Takes these signals over: from now on they wait until they are handled.
    ///
    /// To be called before threads are started, which inherit that.
    init(taking numbers: [Int32]) { SignalMask.block(numbers) }

    /// Calls `body` for each signal of this number, also for one that has waited.
    func handle(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: body)
        source.resume()
        sources.append(source)
    }

    deinit {
        for source in sources { source.cancel() }
    }
}
