import Balancing
import HTTPWire
import Telemetry
import Testing

@testable import Gateway

/// Whose side it was, and what pool and metrics are told of it.
@Suite struct `Exchange errors` {
    typealias Row = (UpstreamFault.Kind, Verdict, AttemptResult, RetryCause)

    static let fresh: [Row] = [
        (.connectFailed, .failure(.connectRefused), .connectFailed, .connectFailed),
        (.connectTimeout, .failure(.connectTimeout), .connectFailed, .connectFailed),
        (.noConnectionLeft, .abandoned, .abandoned, .connectFailed),
        (.reset, .failure(.reset), .reset, .reset),
        (.timeout, .failure(.timeout), .timeout, .timeout),
        (.invalid(.badField), .failure(.invalid), .invalid, .badStatus),
        (.status(502), .failure(.badStatus(502)), .badStatus, .badStatus),
        (.full(retryAfter: .seconds(2)), .full(retryAfter: .seconds(2)), .full, .full),
        (.stalled, .failure(.stalled), .stalled, .timeout),
        (.silent, .failure(.silent), .silent, .silent),
    ]

    @Test(arguments: fresh.indices)
    func `each fault is told as verdict, result and cause`(index: Int) {
        let (kind, verdict, result, cause) = Self.fresh[index]
        let fault = UpstreamFault(kind: kind, stage: .unanswered(onReusedConnection: false))
        #expect(fault.verdict == verdict)
        #expect(fault.attemptResult == result)
        #expect(fault.retryCause == cause)
    }

    @Test func `a kept connection that was closed is no blame on the replica`() {
        let fault = UpstreamFault(kind: .reset, stage: .unanswered(onReusedConnection: true))
        #expect(fault.verdict == .abandoned)
        #expect(fault.retryCause == .staleConnection)
    }

    @Test func `a reset inside an answer is a failure, on any connection`() {
        let fault = UpstreamFault(kind: .reset, stage: .answering)
        #expect(fault.verdict == .failure(.reset))
        #expect(fault.retryCause == .reset)
    }

    @Test func `only a granted attempt goes round once more`() {
        let fault = UpstreamFault(kind: .reset, stage: .connecting)
        #expect(ExchangeError.again(fault).isAnotherAttempt)
        for error in [ExchangeError.upstream(fault), .deadline, .clientGone, .stopping] {
            #expect(!error.isAnotherAttempt)
        }
    }

    @Test func `only what went wrong at the replica is told to its pool`() {
        let fault = UpstreamFault(kind: .timeout, stage: .connecting)
        #expect(Verdict(.upstream(fault)) == .failure(.timeout))
        #expect(Verdict(.again(fault)) == .failure(.timeout))
        for error in [ExchangeError.clientGone, .slowClient, .tooLarge, .deadline, .stopping] {
            #expect(error.fault == nil)
            #expect(Verdict(error) == .abandoned)
        }
    }
}
