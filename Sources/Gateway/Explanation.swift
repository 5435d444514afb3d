// What happened to a request, in plain words.

internal import Telemetry
internal import Transport

extension EndedExchange {
    /// The story of the exchange, one sentence a line, in the order of events.
    var story: [String] {
        var lines: [String] = []
        lines.append(arrival)
        if let queue = record.queue {
            lines.append(
                queue < .milliseconds(1)
                    ? "A slot was free at once."
                    : "It waited \(queue.told) for a free slot, all attempts together."
            )
        }
        for (index, failure) in failures.enumerated() {
            lines.append(failure.sentence(number: index + 1))
        }
        if record.attempts > failures.count {
            lines.append(lastAttempt)
        }
        lines.append(end)
        return lines
    }

    private var arrival: String {
        let time = Timestamp(nanoseconds: record.time).text
        if record.pool.isEmpty { return "It arrived at \(time); no route took it." }
        return "It arrived at \(time); route \(record.route) sent it to pool \(record.pool)."
    }

    private var lastAttempt: String {
        let number = failures.isEmpty ? "" : "Attempt \(record.attempts): "
        guard let ttfb = record.ttfb else {
            return "\(number)It was given to replica \(record.replica), which had not answered."
        }
        return "\(number)Replica \(record.replica) began to answer after \(ttfb.told)."
    }

    private var end: String {
        let total = "\(record.total.told) after its arrival"
        guard record.reason != .ok else {
            return
                "The answer, \(record.status), was whole \(total): "
                + "\(record.bytesIn) bytes in, \(record.bytesOut) bytes out."
        }
        if record.reason == .clientGone { return "The client left \(total)." }
        return "It was answered \(record.status) \(total): \(record.reason.words)."
    }
}

extension FailedAttempt {
    /// What failed and what was decided.
    func sentence(number: Int) -> String {
        "Attempt \(number) on replica \(replica) failed \(after.told) after arrival: "
            + "\(fault.words); \(decision.words)."
    }
}

extension UpstreamFault {
    /// What went wrong, in words.
    var words: String {
        switch kind {
        case .connectFailed: "no connection"
        case .connectTimeout: "no connection in time"
        case .noConnectionLeft: "the gateway had no connection left"
        case .reset:
            stage == .unanswered(onReusedConnection: true)
                ? "the kept connection had been closed" : "it broke the connection"
        case .timeout: "no answer in time"
        case .invalid: "its answer could not be understood"
        case .status(let status): "it answered \(status)"
        case .full: "it said that it is full"
        case .stalled: "its answer went silent"
        case .silent: "not a byte came from it, on any connection"
        }
    }
}

extension RetryDecision {
    /// The decision, in words.
    var words: String {
        switch self {
        case .again: "tried again elsewhere"
        case .attemptsUsed: "not tried again, since all attempts were used"
        case .answerBegan: "not tried again, since part of the answer had been sent"
        case .bodyGone: "not tried again, since the body was too large to be held"
        case .deadline: "not tried again, since its deadline had passed"
        case .stopping: "not tried again, since the gateway was stopping"
        case .tookTooLong: "not tried again, since the time was used up"
        case .notRepeatable:
            "not tried again, since it may have been at work "
                + "and neither method nor route is idempotent"
        case .budgetSpent: "not tried again, since the pool's retry budget was spent"
        }
    }
}

extension Reason {
    /// Why the exchange ended as it did, in words.
    var words: String {
        switch self {
        case .ok: "all went well"
        case .clientGone: "the client left"
        case .noRoute: "no route matches it"
        case .badRequest: "the request was not in order"
        case .tooLarge: "the request was larger than allowed"
        case .queueFull: "the queue of its pool, or the gateway's memory, was full"
        case .queueTimeout: "no slot became free in the time a request may wait"
        case .deadline: "it could not be finished before its deadline"
        case .noReplicas: "no replica of its pool was ready"
        case .connectFailed: "no connection to a replica"
        case .upstreamReset: "the replica broke off before it had answered"
        case .upstreamTimeout: "the replica did not answer in time"
        case .upstreamInvalid: "the replica's answer was not valid"
        case .streamStalled: "the replica's answer went silent and was cut"
        case .stopping: "the gateway was stopping"
        }
    }
}

extension Exchange {
    /// The story so far of an exchange that has not ended.
    var storySoFar: [String] {
        let age = (lane.now - arrivedAt).told
        guard let route else { return ["It arrived \(age) ago."] }
        var lines = [
            "It arrived \(age) ago; route \(route.name) sent it to pool \(route.pool.name)."
        ]
        for (index, failure) in failures.enumerated() {
            lines.append(failure.sentence(number: index + 1))
        }
        if attempts > failures.count, let replica {
            let since = (lane.now - leasedAt).told
            lines.append(
                "It has been in flight on replica \(replica.name) for \(since), "
                    + (isAnswered ? "and is being answered." : "which has not answered yet.")
            )
        } else {
            lines.append("It waits for a free slot.")
        }
        return lines
    }
}
