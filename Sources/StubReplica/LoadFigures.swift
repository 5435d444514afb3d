// What became of the requests of a load.

internal import Transport

/// How one request ended.
enum LoadOutcome: CustomStringConvertible {
    /// It was answered; sluice's own reason if it gave one.
    case status(UInt16, reason: String)
    /// It was not, or not wholly; whether anything of an answer had come.
    case fault(LinkError, begun: Bool)
    /// The generator had no connection left for it.
    case noConnection
    /// The gateway takes no connections any more, and the client went elsewhere.
    case elsewhere

    var description: String {
        switch self {
        case .status(let status, let reason) where reason.isEmpty: "\(status)"
        case .status(let status, let reason): "\(status)/\(reason)"
        case .fault(let error, begun: false): "\(error)"
        case .fault(let error, begun: true): "truncated/\(error)"
        case .noConnection: "no-connection"
        case .elsewhere: "elsewhere"
        }
    }
}

/// The sums over a load.
struct LoadFigures {
    var offered = 0
    /// Sent once more, since a kept connection had been closed.
    var resent = 0
    private var answered = 0
    private var refused = 0
    private var errors = 0
    private var elsewhere = 0
    private var outcomes: [String: Int] = [:]
    private var latencies: [Double] = []
    private var lags: [Double] = []

    /// Counts one request.
    mutating func note(_ outcome: LoadOutcome, latency: Duration, lag: Duration) {
        outcomes[outcome.description, default: 0] += 1
        lags.append(lag.milliseconds)
        switch outcome {
        case .status(200..<300, _):
            answered += 1
            latencies.append(latency.milliseconds)
        case .status(429, _), .status(503, _): refused += 1
        case .elsewhere: elsewhere += 1
        case .status, .fault, .noConnection: errors += 1
        }
    }

    /// One line of JSON; times in milliseconds.
    var summary: String {
        let latencies = latencies.sorted()
        let lags = lags.sorted()
        let kinds = outcomes.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }
        return """
            {"offered":\(offered),"answered":\(answered),"refused":\(refused),"errors":\(errors),\
            "elsewhere":\(elsewhere),"resent":\(resent),\
            "outcomes":{\(kinds.joined(separator: ","))},\
            "p50":\(quantile(0.5, of: latencies)),"p99":\(quantile(0.99, of: latencies)),\
            "max":\(quantile(1, of: latencies)),"lagP99":\(quantile(0.99, of: lags)),\
            "lagMax":\(quantile(1, of: lags))}
            """
    }

    private func quantile(_ share: Double, of sorted: [Double]) -> String {
        guard !sorted.isEmpty else { return "0" }
        let rank = (share * Double(sorted.count)).rounded(.up)
        return sorted[max(0, min(sorted.count, Int(rank)) - 1)].tenths
    }
}

extension Double {
    /// The number with one digit behind the point.
    var tenths: String {
        let scaled = Int((self * 10).rounded())
        let sign = scaled < 0 ? "-" : ""
        return "\(sign)\(scaled.magnitude / 10).\(scaled.magnitude % 10)"
    }
}
