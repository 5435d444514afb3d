// SIGTERM and SIGINT drain, a second one stops; SIGHUP reloads.

internal import Dispatch
internal import Foundation
internal import Gateway

/// Turns signals into calls, off the loops.
final class Signals {
    private var sources: [any DispatchSourceSignal] = []
    private let queue = DispatchQueue(label: "signals")

    init(gateway: Gateway, reload: @escaping @Sendable () -> Void, over: @escaping @Sendable () -> Void) {
        signal(SIGPIPE, SIG_IGN)
        for number in [SIGTERM, SIGINT] {
            handle(number) { gateway.stop(then: over) }
        }
        handle(SIGHUP, reload)
    }

    private func handle(_ number: Int32, _ body: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler(handler: body)
        source.resume()
        sources.append(source)
    }
}
