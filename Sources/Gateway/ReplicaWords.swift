// Why a replica is in its state, in words for people.

internal import Balancing
internal import Transport

extension GatewayStatus {
    /// Why a replica is in its state and what comes next, in one line.
    func why(_ replica: ReplicaSnapshot) -> String {
        var parts = [replica.why.words]
        switch replica.state {
        case .warming:
            if let probe = lastProbe(of: replica), replica.limitNow == 0 { parts.append(probe) }
            if replica.limitNow > 0, replica.limitNow < replica.concurrencyLimit {
                parts.append("takes \(replica.limitNow) of \(replica.concurrencyLimit)")
            }
        case .ready:
            break
        case .degraded:
            if let left = time(until: replica.heldUntil) {
                parts.append("no new work for \(left.inWords)")
            }
        case .down:
            if let probe = lastProbe(of: replica) { parts.append(probe) }
        case .ejected:
            if replica.ejections > 1 { parts.append("ejected \(replica.ejections) times") }
            if let left = time(until: replica.ejectedUntil) {
                parts.append("back in \(left.inWords)")
            }
        case .draining:
            parts.append(replica.inFlight > 0 ? "\(replica.inFlight) still in flight" : "idle")
        }
        if replica.state != .ejected, replica.consecutiveFailures > 0 {
            let count = replica.consecutiveFailures
            parts.append(count == 1 ? "its last request failed" : "\(count) failures in a row")
        }
        return parts.joined(separator: "; ")
    }

    private func lastProbe(of replica: ReplicaSnapshot) -> String? {
        guard let probe = replica.lastProbe, let at = replica.lastProbeAt else { return nil }
        return "probe \(time(since: at).inWords) ago: \(probe.words)"
    }
}

extension ProbeOutcome {
    /// What it said, in words.
    var words: String {
        switch self {
        case .passed: "passed"
        case .connected: "it takes connections"
        case .failed(let status): status.map { "status \($0)" } ?? "connection broken"
        case .timedOut: "no answer in time"
        case .refused: "nothing listens there"
        }
    }
}

extension TransitionCause {
    /// The cause, in words.
    var words: String {
        switch self {
        case .added: "new, no probe has passed yet"
        case .probePassed: "a probe passed"
        case .probeFailed: "probes failed"
        case .probeTimedOut: "probes timed out"
        case .connectRefused: "connection refused"
        case .busy: "slow to answer probes, but its requests make progress"
        case .full: "it said that it is full"
        case .holdEnded: "the pause it asked for is over"
        case .outlier: "too many failures in a row"
        case .stalled: "no progress although requests are in flight"
        case .silent: "silent, requests were taken elsewhere"
        case .heardAgain: "heard again after a silence"
        case .approval: "silent before, one request at a time tries it"
        case .trial: "on trial after an ejection, one request at a time"
        case .trialPassed: "its trial passed"
        case .trialFailed: "its trial failed"
        case .slowStartOver: "slow start is over"
        case .unlisted: "no longer listed by its source"
        case .listedAgain: "listed again"
        case .drained: "drained by an operator"
        case .undrained: "taken back by an operator"
        }
    }
}

extension Duration {
    /// The duration as people say it: `0.4 s`, `12 s`, `3 min 20 s`, `5 h 10 min`, `12 d 3 h`.
    var inWords: String {
        let seconds = max(0, inSeconds)
        if seconds < 10 {
            let tenths = Int((seconds * 10).rounded())
            return "\(tenths / 10).\(tenths % 10) s"
        }
        let whole = Int(min(seconds.rounded(), 1e12))
        switch whole {
        case ..<60: return "\(whole) s"
        case ..<3600: return "\(whole / 60) min \(whole % 60) s"
        case ..<86_400: return "\(whole / 3600) h \(whole % 3600 / 60) min"
        default: return "\(whole / 86_400) d \(whole % 86_400 / 3600) h"
        }
    }

    /// The duration as a story tells it: `4.7 ms`, `2.5 s`, `3 min 20 s`.
    var told: String { self < .seconds(1) ? inMilliseconds : inWords }

    /// The duration in milliseconds, to the tenth.
    var inMilliseconds: String {
        let tenths = Int((max(0, inSeconds) * 10_000).rounded())
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
