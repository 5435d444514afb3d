// Reads the settings of pools: what they inherit or set, and where their replicas come from.

/// Reads all pools; each starts from `defaults`.
func readPools(
    _ top: Section,
    defaults: Configuration.PoolSettings
) -> [Configuration.Pool] {
    let expected = "an object such as { sales: { replicas: [\"10.0.0.1:5000\"] } }"
    guard let item = top.item("pools") else {
        // An Ingress brings its own.
        if top.item("ingress") != nil { return [] }
        top.reader.report("`pools` is missing", at: [], hint: "expected \(expected)")
        return []
    }
    guard let members = item.members(max: Bounds.pools, expected: expected) else { return [] }
    if members.isEmpty {
        item.problem("at least one pool is needed", hint: "expected \(expected)")
        top.recordEmpty("pools", .object([:]))
    }
    return members.map { readPool($0.name, $0.item, defaults: defaults) }
}

private func readPool(
    _ name: String,
    _ item: Item,
    defaults: Configuration.PoolSettings
) -> Configuration.Pool {
    if !isPoolName(name) {
        item.reader.report(
            "\(quote(name)) cannot be the name of a pool",
            at: item.reader.positions.key(name, at: item.path.dropLast()),
            hint: "letters, digits, `.`, `_` and `-`, at most 64, a letter or digit first"
        )
    }
    var pool = Configuration.Pool(name: name, source: .replicas([]), settings: defaults)
    item.section(fallback: [.key("defaults")]) { section in
        pool.source = readSource(section)
        readPoolSettings(section, &pool.settings)
    }
    return pool
}

/// Reads everything that `defaults` may say for all pools and a pool for itself.
func readPoolSettings(_ section: Section, _ settings: inout Configuration.PoolSettings) {
    section.read("concurrency", &settings.concurrency, .integer(Bounds.concurrency))
    readPolicy(section, &settings.policy)
    section.section("queue") { readQueue($0, &settings.queue) }
    section.section("health") { readHealth($0, &settings.health) }
    section.section("outliers") { readOutliers($0, &settings.outliers) }
    section.read("slowStart", &settings.slowStart, .duration(.zero...Bounds.hour))
    section.read("stall", &settings.stall, .duration(.seconds(1)...Bounds.day), or: "off")
    let connect = Bounds.millisecond...Bounds.minute
    section.read("connectTimeout", &settings.connectTimeout, .duration(connect))
    section.read("keepAlive", &settings.keepAlive, .duration(.zero...Bounds.hour))
    section.read("timeout", &settings.timeout, .duration(Bounds.timeout))
    section.read("streamIdle", &settings.streamIdle, .duration(Bounds.timeout))
    section.section("retries") { readRetries($0, &settings.retries) }
    let abort = Configuration.OnClientAbort.allCases.map { (word: $0.rawValue, value: $0) }
    section.read("onClientAbort", &settings.onClientAbort, .choice(abort))
    section.section("scaling") { readScaling($0, &settings.scaling) }
    // Last: it is only there when TLS is, and a plan compares settings by their order.
    readUpstreamTLS(section, &settings.tls)
}

private func readQueue(_ section: Section, _ queue: inout Configuration.Queue) {
    section.read("limit", &queue.limit, .integer(0...1_000_000), or: "auto")
    section.read("bytes", &queue.bytes, .size(0...1 << 40))
    section.read("timeout", &queue.timeout, .duration(.zero...Bounds.day))
    section.read("patience", &queue.patience, .duration(.zero...Bounds.day))
}

private func readHealth(_ section: Section, _ health: inout Configuration.Health) {
    section.read("path", &health.path, .probePath, or: "none")
    section.read("expect", &health.expect, Format.statuses.list(max: 32, of: "statuses"))
    if health.expect.isEmpty {
        section.item("expect")?.problem("at least one status is needed")
    }
    section.read("interval", &health.interval, .duration(Bounds.period))
    let timeout = Bounds.millisecond...Bounds.minute * 10
    section.read("timeout", &health.timeout, .duration(timeout))
    section.read("changingInterval", &health.changingInterval, .duration(Bounds.period))
    section.read("rise", &health.rise, .integer(1...100))
    section.read("fall", &health.fall, .integer(1...100))
    section.read("busyWindow", &health.busyWindow, .duration(.zero...Bounds.hour))
}

private func readOutliers(_ section: Section, _ outliers: inout Configuration.Outliers) {
    section.read("consecutive", &outliers.consecutive, .integer(1...1000), or: "off")
    let first = Bounds.millisecond...Bounds.hour
    section.read("ejectFor", &outliers.ejectFor, .duration(first))
    section.read("ejectForMax", &outliers.ejectForMax, .duration(Bounds.timeout))
    section.read("ejectedShare", &outliers.ejectedShare, .decimal(0...1))
    section.read("panicThreshold", &outliers.panicThreshold, .decimal(0...1))
    section.read("forgetAfter", &outliers.forgetAfter, .duration(Bounds.timeout))
}

private func readRetries(_ section: Section, _ retries: inout Configuration.Retries) {
    section.read("attempts", &retries.attempts, .attempts)
    section.read("budgetShare", &retries.budgetShare, .decimal(0...1))
    section.read("budgetPerSecond", &retries.budgetPerSecond, .decimal(0...10_000))
    let window = Duration.seconds(1)...Bounds.minute * 10
    section.read("budgetWindow", &retries.budgetWindow, .duration(window))
    section.read("attemptTimeout", &retries.attemptTimeout, .attemptTimeout)
    section.read("bodyBytes", &retries.bodyBytes, .size(0...64 << 20))
}

private func readScaling(_ section: Section, _ scaling: inout Configuration.Scaling) {
    section.read("target", &scaling.target, .decimal(0.01...1000))
    section.read("tolerance", &scaling.tolerance, .decimal(0...1))
    let interval = Duration.milliseconds(100)...Bounds.hour
    section.read("interval", &scaling.interval, .duration(interval))
    section.read("stabilization", &scaling.stabilization, .duration(.zero...Bounds.day))
}

func readPolicy(_ section: Section, _ policy: inout Configuration.Policy) {
    guard let item = section.item("policy"), case .object = item.value else {
        section.read("policy", &policy, .policyName)
        return
    }
    section.reader.record(.file(section.reader.positions.value(at: item.path)), of: item.path)
    item.section { inner in
        let names = policyNames.map { (word: $0, value: $0) }
        if inner.require("name", .choice(names)) == consistentHashName {
            readConsistentHash(inner, &policy)
        } else {
            readPlainPolicy(inner, &policy)
        }
    }
}

private func readConsistentHash(_ section: Section, _ policy: inout Configuration.Policy) {
    var boundedLoad = Configuration.Policy.boundedLoadDefault
    section.read("boundedLoad", &boundedLoad, .decimal(1...10))
    guard let item = section.item("key") else {
        section.reader.report(
            "`key` is missing",
            at: section.path,
            hint: "expected \(affinityKeyExpected)"
        )
        return
    }
    if let key = readAffinityKey(item) {
        policy = .consistentHash(key: key, boundedLoad: boundedLoad)
    }
}

/// Reads a policy that has a name only although it was written as an object.
private func readPlainPolicy(_ section: Section, _ policy: inout Configuration.Policy) {
    let others = [section.item("key"), section.item("boundedLoad")].compactMap { $0 }
    let plain = plainPolicies.first { .string($0.word) == section.item("name")?.value }
    guard let plain else { return }
    policy = plain.value
    for other in others {
        other.problem("only \"\(consistentHashName)\" has this setting")
    }
}

private func readAffinityKey(_ item: Item) -> Configuration.AffinityKey? {
    guard case .object = item.value else { return item.read(.affinityKey) }
    var key: Configuration.AffinityKey?
    item.section { section in
        var header: String?
        var cookie: String?
        section.read("header", optional: &header, .fieldName)
        section.read("cookie", optional: &cookie, .fieldName)
        switch (header, cookie) {
        case (let header?, nil): key = .header(header)
        case (nil, let cookie?): key = .cookie(cookie)
        default: item.problem("expected \(affinityKeyExpected)")
        }
    }
    return key
}

private let consistentHashName = "consistent-hash"

private let plainPolicies: [(word: String, value: Configuration.Policy)] = [
    ("least-connections", .leastConnections),
    ("round-robin", .roundRobin),
    ("power-of-two", .powerOfTwo),
    ("peak-ewma", .peakEWMA),
]

private let policyNames = plainPolicies.map { $0.word } + [consistentHashName]

private let affinityKeyExpected =
    "{ header: \"X-User\" }, { cookie: \"user\" }, \"path\" or \"clientAddress\""

extension Configuration.Policy {
    /// A replica may have this many times the mean load before a key goes elsewhere.
    package static let boundedLoadDefault = 1.25
}

extension Format<Configuration.Policy> {
    /// A policy that needs no more than its name.
    fileprivate static var policyName: Format {
        let names = Format<String>.choice(policyNames.map { (word: $0, value: $0) })
        return Format(
            expected: names.expected,
            parse: { item in
                guard let name = names.parse(item) else { return nil }
                if let plain = plainPolicies.first(where: { $0.word == name }) {
                    return plain.value
                }
                let example = "{ name: \"\(name)\", key: { header: \"X-User\" } }"
                item.problem("\"\(name)\" needs a key", hint: "write \(example)")
                return nil
            },
            print: { policy in
                guard case .consistentHash(let key, let boundedLoad) = policy else {
                    return plainPolicies.first { $0.value == policy }.map { .string($0.word) }
                }
                return .object([
                    "name": .string(consistentHashName),
                    "key": Format<Configuration.AffinityKey>.affinityKey.print(key) ?? .null,
                    "boundedLoad": .decimal(boundedLoad),
                ])
            }
        )
    }
}

extension Format<Configuration.AffinityKey> {
    /// A key that needs no more than its name; printed in every form.
    fileprivate static var affinityKey: Format {
        let names = choice([("path", .path), ("clientAddress", .clientAddress)])
        return Format(
            expected: affinityKeyExpected,
            parse: names.parse,
            print: { key in
                switch key {
                case .header(let name): .object(["header": .string(name)])
                case .cookie(let name): .object(["cookie": .string(name)])
                case .path, .clientAddress: names.print(key)
                }
            }
        )
    }
}

extension Format<String> {
    /// The target of a probe, which may have a query.
    fileprivate static var probePath: Format {
        text("a path such as \"/health\"", max: 2048, hint: "it begins with `/`") { text in
            let path = text.prefix { $0 != "?" }
            let query = text.dropFirst(path.count + 1)
            return isPath(String(path)) && isPath("/" + query.replacing("?", with: "")) ? text : nil
        }
    }
}

extension Format<Int> {
    /// Attempts in all, the first included.
    static var attempts: Format { integer(1...10) }
}

extension Format<Configuration.AttemptTimeout> {
    /// A duration, or one of two words.
    fileprivate static var attemptTimeout: Format {
        let format = Format<Duration>.duration(Bounds.timeout).or("auto").or("off")
        return Format(
            expected: format.expected,
            parse: { item in
                guard let parsed = format.parse(item) else { return nil }
                guard let timeout = parsed else { return .off }
                return timeout.map { .after($0) } ?? .auto
            },
            print: { timeout in
                switch timeout {
                case .off: format.print(nil)
                case .auto: format.print(.some(nil))
                case .after(let duration): format.print(duration)
                }
            }
        )
    }
}

extension Format<ClosedRange<Int>> {
    /// A status, a hundred of them (`"2xx"`), or a range (`"200-204"`).
    fileprivate static var statuses: Format {
        let expected = "a status such as 200, \"2xx\" or \"200-204\""
        return Format(
            expected: expected,
            parse: { item in
                var range: ClosedRange<Int>?
                if case .integer(let status) = item.value {
                    range = statusRange("\(status)")
                } else if let text = item.text(expected: expected) {
                    range = statusRange(text)
                } else {
                    return nil
                }
                if range == nil { item.wrongType(expected: expected) }
                return range
            },
            print: { range in
                if range.count == 1 { return .integer(range.lowerBound) }
                if range.count == 100, range.lowerBound % 100 == 0 {
                    return .string("\(range.lowerBound / 100)xx")
                }
                return .string("\(range.lowerBound)-\(range.upperBound)")
            }
        )
    }
}

/// Reads `200`, `2xx` or `200-204`.
private func statusRange(_ text: String) -> ClosedRange<Int>? {
    if text.hasSuffix("xx") {
        guard let hundred = parseDecimal(text.dropLast(2), max: 5), hundred >= 1 else {
            return nil
        }
        return hundred * 100...hundred * 100 + 99
    }
    let bounds = text.split(separator: "-", omittingEmptySubsequences: false)
        .map { parseDecimal($0, max: 599) ?? 0 }
    guard (1...2).contains(bounds.count), let first = bounds.first, let last = bounds.last,
        first >= 100, first <= last
    else { return nil }
    return first...last
}
