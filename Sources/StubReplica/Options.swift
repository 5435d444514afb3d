// The command line and the query of a request: the same settings, read by the same code.

internal import FoundationEssentials
internal import Glibc
internal import Transport

/// What was not understood.
struct UsageError: Error {
    let text: String
}

/// How long an answer takes.
enum Latency: Equatable {
    case constant(Duration)
    /// Exponentially distributed around a mean.
    case exponential(Duration)
    /// Log-normally distributed around a mean, with the spread of the logarithm.
    case logNormal(Duration, sigma: Double)

    /// Reads `5ms`, `exp:5ms` or `lognormal:5ms,0.5`.
    init?(_ text: String) {
        let parts = text.split(separator: ":").map(String.init)
        if parts.count == 1, let duration = Duration(text: text) {
            self = .constant(duration)
            return
        }
        guard parts.count == 2 else { return nil }
        let values = parts[1].split(separator: ",").map(String.init)
        guard let first = values.first, let mean = Duration(text: first) else { return nil }
        switch (parts[0], values.count) {
        case ("exp", 1):
            self = .exponential(mean)
        case ("lognormal", 2):
            guard let sigma = Double(values[1]), sigma >= 0 else { return nil }
            self = .logNormal(mean, sigma: sigma)
        default:
            return nil
        }
    }

    /// One duration; `random` gives 64 random bits.
    func draw(_ random: () -> UInt64) -> Duration {
        // In (0, 1], so that its logarithm is finite.
        func unit() -> Double { (Double(random() >> 11) + 1) / 9_007_199_254_740_992 }
        switch self {
        case .constant(let duration):
            return duration
        case .exponential(let mean):
            return mean * -log(unit())
        case .logNormal(let mean, let sigma):
            let normal = sqrt(-2 * log(unit())) * cos(2 * Double.pi * unit())
            return mean * exp(sigma * normal - sigma * sigma / 2)
        }
    }
}

/// What goes wrong with an answer.
enum Fault: String, CaseIterable {
    /// The connection is reset once the request is there.
    case reset
    /// No answer ever.
    case hang
    /// Fewer body bytes than announced, then the end.
    case short
    /// More body bytes than announced.
    case long
    /// A chunked body without its end.
    case cut
    /// Bytes that are no HTTP.
    case garbage
    /// Half a head, then the end.
    case half
    /// A 503 without Retry-After.
    case status503
    /// A 503 that asks to come back in a second.
    case retryAfter = "retry-after"
    /// A body that comes byte by byte.
    case slowDrip = "slow-drip"
    /// Two answers to one request.
    case twice
    /// A final answer before the request's body was read, then the end.
    case early
}

/// How a request is answered.
struct Behaviour: Equatable {
    var latency = Latency.constant(.zero)
    var status: UInt16 = 200
    /// Bytes that the answer's body is filled up to.
    var bytes = 0
    /// Events of a stream; 0: no stream.
    var tokens = 0
    /// Between two events, and between the bytes of a slow answer.
    var interval = Duration.milliseconds(20)
    var fault: Fault?
    /// Whether the answer lists the fields of the request.
    var echoesFields = false
    /// Whether it hashes what it is sent; large bodies cost it less without.
    var hashes = true
    /// Whether it works on although the client has left, as model servers do.
    var finishes = false
    /// Whether the answer waits until somebody asks for `/release`.
    var isHeld = false

    /// Takes one setting; false when there is none of that name.
    ///
    /// - Throws: when the value is none for it.
    mutating func set(_ name: String, to value: String) throws(UsageError) -> Bool {
        switch name {
        case "latency": latency = try need(Latency(value), name, value)
        case "status": status = try need(UInt16(value), name, value)
        case "bytes": bytes = try need(Int(value), name, value)
        case "tokens": tokens = try need(Int(value), name, value)
        case "interval": interval = try need(Duration(text: value), name, value)
        case "fault": fault = try need(Fault(rawValue: value), name, value)
        case "echo": echoesFields = value == "fields"
        case "finish": finishes = try need(["yes": true, "no": false][value], name, value)
        case "hash": hashes = try need(["yes": true, "no": false][value], name, value)
        case "hold": isHeld = value == "true"
        default: return false
        }
        return true
    }

    /// Takes `name=value&…` of a request's query; what is no setting is passed over.
    mutating func take(query: String) throws(UsageError) {
        for part in query.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            if pair.count == 2 { _ = try set(pair[0], to: pair[1]) }
        }
    }
}

/// The value that a text was read as.
///
/// - Throws: when it was none.
func need<Value>(_ value: Value?, _ name: String, _ text: String) throws(UsageError) -> Value {
    guard let value else { throw UsageError(text: "\(name) cannot be \(text)") }
    return value
}

/// Calls `take` with each `--name value` of the arguments.
///
/// - Throws: what `take` throws, or that an option is unknown or lacks its value.
func readOptions(
    _ arguments: ArraySlice<String>,
    flags: Set<String> = [],
    _ take: (String, String) throws(UsageError) -> Bool
) throws(UsageError) {
    var rest = arguments
    while let option = rest.popFirst() {
        guard option.hasPrefix("--") else { throw UsageError(text: "what is \(option)?") }
        let name = String(option.dropFirst(2))
        let value: String
        if flags.contains(name) {
            value = "true"
        } else if let next = rest.popFirst() {
            value = next
        } else {
            throw UsageError(text: "\(option) needs a value")
        }
        guard try take(name, value) else { throw UsageError(text: "what is \(option)?") }
    }
}

extension Duration {
    /// Reads `5ms`, `1.5s`, `200us` or `2m`.
    init?(text: String) {
        for (unit, scale) in [("ms", 1e-3), ("us", 1e-6), ("s", 1.0), ("m", 60.0)]
        where text.hasSuffix(unit) {
            guard let number = Double(text.dropLast(unit.count)), number >= 0, number < 1e9 else {
                return nil
            }
            self = .seconds(number * scale)
            return
        }
        return nil
    }

    /// The duration in whole microseconds.
    var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    /// The duration in milliseconds.
    var milliseconds: Double {
        let parts = components
        return Double(parts.seconds) * 1e3 + Double(parts.attoseconds) * 1e-15
    }
}
