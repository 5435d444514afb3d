// What a gateway's start comes to: where it listens, or why it cannot.

internal import Synchronization
package import Transport

/// Where a started gateway listens.
package struct Bound: Sendable {
    package let listeners: [Transport.Address]
    package let admin: Transport.Address
    /// The external metrics API's; nil: it is not served.
    package let externalMetrics: Transport.Address?
}

/// Why a gateway could not start.
package struct StartError: Error, Sendable {
    package let address: String
    package let why: String
}

/// Reports once every listener of every loop stands, or that one of them cannot.
final class Start: Sendable {
    private struct State {
        var left: Int
        var failure: StartError?
    }

    private let state: Mutex<State>
    private let bound: Bound
    private let report: @Sendable (Result<Bound, StartError>) -> Void

    init(
        _ bound: Bound,
        parts: Int,
        then report: @escaping @Sendable (Result<Bound, StartError>) -> Void
    ) {
        state = Mutex(State(left: parts))
        self.bound = bound
        self.report = report
    }

    /// One listener stands, or has failed; called once for each, from its loop.
    func partIsDone(_ failure: StartError? = nil) {
        let (isLast, failure) = state.withLock { state in
            state.left -= 1
            state.failure = state.failure ?? failure
            return (state.left == 0, state.failure)
        }
        guard isLast else { return }
        report(failure.map { .failure($0) } ?? .success(bound))
    }
}
