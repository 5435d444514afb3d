// The last exchanges of one loop, kept so that `/explain` can say what became of a request.

internal import Telemetry
internal import Transport

/// An attempt that did not end in an answer, and what was decided then.
struct FailedAttempt: Sendable, Equatable {
    /// The replica's endpoint.
    var replica: String
    var fault: UpstreamFault
    /// How long after the request's arrival it failed.
    var after: Duration
    var decision: RetryDecision
}

/// Whether another attempt follows a failed one, or why not.
enum RetryDecision: Sendable, Equatable {
    case again
    case attemptsUsed
    /// Bytes of an answer have reached the client.
    case answerBegan
    /// The request body was too large to be held for another attempt.
    case bodyGone
    case deadline
    case stopping
    case tookTooLong
    /// Sending it twice might do harm.
    case notRepeatable
    case budgetSpent
}

/// One exchange that has ended.
struct EndedExchange: Sendable {
    var requestID: [UInt8]
    /// Its line of the access log.
    var line: [UInt8]
    var record: AccessLogRecord
    var failures: [FailedAttempt]
}

/// A ring of the exchanges that ended last on one loop; each keeps about 1 KiB.
struct RecentExchanges {
    /// The gateway remembers about this many, the loops together.
    private static let all = 1024
    private let capacity: Int
    private var slots: [EndedExchange] = []
    /// The slot that is overwritten next once all are taken.
    private var oldest = 0

    /// - Parameter loops: how many loops share the gateway's memory.
    init(loops: Int) { capacity = max(64, RecentExchanges.all / max(1, loops)) }

    /// Remembers an exchange; allocates nothing once the ring is full.
    mutating func add(_ record: AccessLogRecord, of exchange: Exchange, line: [UInt8]) {
        add(record, exchange.requestID, line, exchange.failures)
    }

    mutating func add(
        _ record: AccessLogRecord,
        _ requestID: borrowing KeptBytes,
        _ line: [UInt8],
        _ failures: [FailedAttempt]
    ) {
        guard slots.count == capacity else {
            var slot = EndedExchange(requestID: [], line: [], record: record, failures: failures)
            slot.requestID.replace(with: requestID.span)
            slot.line.replace(with: line.span)
            slots.append(slot)
            return
        }
        slots[oldest].requestID.replace(with: requestID.span)
        slots[oldest].line.replace(with: line.span)
        slots[oldest].record = record
        slots[oldest].failures = failures
        oldest = (oldest + 1) % capacity
    }

    /// The newest exchange with this request id.
    ///
    /// O(capacity).
    func find(_ requestID: [UInt8]) -> EndedExchange? {
        for age in 1...max(1, slots.count) where !slots.isEmpty {
            let index = (oldest + slots.count - age) % slots.count
            if slots[index].requestID == requestID { return slots[index] }
        }
        return nil
    }
}
