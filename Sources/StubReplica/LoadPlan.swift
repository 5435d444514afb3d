// What load is to be put on a gateway, as the command line says.

internal import FoundationEssentials
internal import Transport

/// One request at its time.
struct LoadEntry: Equatable {
    /// Since the start.
    var due: Duration
    var path: String
}

/// Requests at one rate for a time.
struct LoadPhase: Equatable {
    /// Requests per second.
    var rate: Double
    var time: Duration
}

/// What load is to be put where.
struct LoadPlan {
    var address: Address
    var phases = [LoadPhase(rate: 100, time: .seconds(5))]
    /// Whether the gaps between requests are exponentially distributed instead of all the same.
    var isPoisson = false
    var seed: UInt64 = 1
    /// How long one request may take, from when it should have been sent.
    var timeout = Duration.seconds(30)
    /// Connections open at most; beyond them a request fails.
    var connectionsMax = 8000
    /// Whether each request gets a line: when it was due (ms), its latency and lag (ms), outcome.
    var printsEach = false
    /// Whether a refused connection ends the load: the client goes elsewhere.
    var endsWhenRefused = false
    /// Each request written down; none: `phases` hold.
    var trace: [LoadEntry] = []
    /// Where each request is to be described afterwards.
    var logFile: String?
    private var path = "/predict"
    private var field = ""
    private var method = "POST"
    private var body = ""
    /// Requests of one plan at most.
    private static let requestsMax = 5_000_000.0

    init(_ arguments: ArraySlice<String>) throws(UsageError) {
        guard let text = arguments.first, let address = Address(text) else {
            throw UsageError(text: "load needs an address such as 127.0.0.1:8080")
        }
        self.address = address
        try readOptions(arguments.dropFirst(), flags: ["each", "end-when-refused"]) {
            (name, value) throws(UsageError) in
            try set(name, to: value)
        }
        let phased = phases.reduce(0) { $0 + $1.rate * $1.time.milliseconds / 1000 }
        let count = max(phased, Double(trace.count))
        guard count <= LoadPlan.requestsMax else {
            throw UsageError(text: "phases: more than \(Int(LoadPlan.requestsMax)) requests")
        }
    }

    private mutating func set(_ name: String, to value: String) throws(UsageError) -> Bool {
        switch name {
        case "phases": phases = try need(LoadPlan.readPhases(value), name, value)
        case "arrivals":
            isPoisson = try need(["constant": false, "poisson": true][value], name, value)
        case "seed": seed = try need(UInt64(value), name, value)
        case "path": path = value
        case "method": method = value
        case "bytes": body = String(repeating: "x", count: try need(Int(value), name, value))
        case "body": body = value
        case "timeout": timeout = try need(Duration(text: value), name, value)
        case "connections": connectionsMax = try need(Int(value), name, value)
        case "each": printsEach = true
        case "end-when-refused": endsWhenRefused = true
        case "trace": trace = try need(LoadPlan.readTrace(value), name, value)
        case "log": logFile = value
        case "field": field = "\(value)\r\n"
        default: return false
        }
        return true
    }

    private static func readPhases(_ text: String) -> [LoadPhase]? {
        var phases: [LoadPhase] = []
        for part in text.split(separator: ",") {
            let pair = part.split(separator: ":").map(String.init)
            guard pair.count == 2, let rate = Double(pair[0]), rate > 0, rate <= 100_000,
                let time = Duration(text: pair[1])
            else { return nil }
            phases.append(LoadPhase(rate: rate, time: time))
        }
        return phases.isEmpty ? nil : phases
    }

    /// Reads lines such as `12.5 /predict?latency=20ms`, in the order of time.
    private static func readTrace(_ file: String) -> [LoadEntry]? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else { return nil }
        var trace: [LoadEntry] = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count == 2, let due = Double(parts[0]), due >= 0, due < 1e9 else {
                return nil
            }
            trace.append(LoadEntry(due: .microseconds(Int64(due * 1000)), path: String(parts[1])))
        }
        return trace.isEmpty ? nil : trace
    }

    /// The bytes of every request that has no path of its own.
    var request: [UInt8] { request(to: path) }

    /// The bytes of a request.
    func request(to path: String) -> [UInt8] {
        let hasBody = method != "GET" && method != "HEAD"
        let length = hasBody ? "Content-Length: \(body.utf8.count)\r\n" : ""
        return Array(
            """
            \(method) \(path) HTTP/1.1\r\nHost: \(address)\r\n\
            Content-Type: application/json\r\n\(field)\(length)\r\n\(hasBody ? body : "")
            """.utf8
        )
    }
}
