// Reads the settings of the whole gateway, in the order in which they are documented.

/// The spans that settings may have.
enum Bounds {
    static let millisecond = Duration.milliseconds(1)
    static let minute = Duration.seconds(60)
    static let hour = Duration.seconds(3600)
    static let day = Duration.seconds(86_400)

    /// A timeout: never zero, which would mean different things to different readers.
    static let timeout = millisecond...day
    /// A period: short enough to act, long enough not to spin.
    static let period = Duration.milliseconds(10)...hour

    static let concurrency = 1...10_000
    static let pools = 1000
    static let routes = 1000
    static let replicas = 10_000
}

/// Reads a whole file.
func readConfiguration(_ top: Section) -> Configuration {
    // Editors look for it; nothing here does.
    var schema: String?
    top.read("$schema", optional: &schema, .text("where the schema of the format is"))
    var configuration = Configuration()
    configuration.listeners = readListeners(top)
    readGateway(top, &configuration)
    top.section("responseHeaders") { readResponseHeaders($0, &configuration.responseHeaders) }
    var defaults = Configuration.PoolSettings()
    top.section("defaults") { readPoolSettings($0, &defaults) }
    configuration.defaults = defaults
    readIngress(top, &configuration)
    configuration.pools = readPools(top, defaults: defaults)
    configuration.routes = readRoutes(top, headers: configuration.responseHeaders)
    return configuration
}

/// Reads everything that is neither list nor map: what belongs to the gateway as one.
func readGateway(_ top: Section, _ configuration: inout Configuration) {
    top.section("admin") { section in
        section.read("address", &configuration.admin.address, .listener)
        let token = Format<String>.text("a text of visible ASCII characters", max: 1024) { text in
            text.utf8.allSatisfy { (0x21...0x7e).contains($0) } ? text : nil
        }
        section.read("token", &configuration.admin.token, token, or: "none", shown: .hidden)
    }
    top.section("timeouts") { readTimeouts($0, &configuration.timeouts) }
    top.section("limits") { readLimits($0, &configuration.limits) }
    top.section("accessLog") { readAccessLog($0, &configuration.accessLog) }
    top.read(
        "trustedProxies",
        &configuration.trustedProxies,
        Format.range.list(max: 256, of: "IP addresses and ranges")
    )
    top.section("shutdown") { section in
        let shutdown = Duration.zero...Bounds.minute * 10
        section.read("drainDelay", &configuration.shutdown.drainDelay, .duration(shutdown))
        section.read("grace", &configuration.shutdown.grace, .duration(.zero...Bounds.hour))
    }
    top.read("peers", &configuration.peers, .hostName, or: "none")
    readExternalMetrics(top, &configuration.externalMetrics)
    top.section("kubernetes") { readKubernetesAPI($0, &configuration.kubernetes) }
    top.read("loops", &configuration.loops, .integer(1...256), or: "auto")
    top.read("watch", &configuration.watch, .flag)
}

/// Reads which fields tell a client what the gateway did.
func readResponseHeaders(_ section: Section, _ headers: inout Configuration.ResponseHeaders) {
    section.read("serverTiming", &headers.serverTiming, .flag)
    section.read("replica", &headers.replica, .flag)
    section.read("attempts", &headers.attempts, .flag)
    section.read("reason", &headers.reason, .flag)
}

private func readListeners(_ top: Section) -> [Configuration.Listener] {
    let expected = "a list such as [{ address: \"0.0.0.0:8080\" }]"
    guard let item = top.item("listeners") else {
        top.reader.report("`listeners` is missing", at: [], hint: "expected \(expected)")
        return []
    }
    guard let elements = item.elements(max: 64, expected: expected) else { return [] }
    if elements.isEmpty {
        item.problem("at least one listener is needed", hint: "expected \(expected)")
        top.recordEmpty("listeners", .list([]))
    }
    return elements.map { readListener($0) }
}

private func readListener(_ item: Item) -> Configuration.Listener {
    // A wrong listener keeps its place in the list, so that later checks point at the right one.
    var listener = Configuration.Listener(address: Address(host: "", port: 0))
    item.section(expected: "an object such as { address: \"0.0.0.0:8080\" }") { section in
        listener.address = section.require("address", .listener) ?? listener.address
        listener.tls = readTLS(section)
        section.read("redirect", &listener.redirect, .port, or: "off")
    }
    return listener
}

private func readTimeouts(_ section: Section, _ timeouts: inout Configuration.Timeouts) {
    section.read("handshake", &timeouts.handshake, .duration(Bounds.timeout))
    section.read("head", &timeouts.head, .duration(Bounds.timeout))
    section.read("body", &timeouts.body, .duration(Bounds.timeout))
    section.read("write", &timeouts.write, .duration(Bounds.timeout))
    section.read("keepAlive", &timeouts.keepAlive, .duration(Bounds.timeout))
    section.read("tunnelIdle", &timeouts.tunnelIdle, .duration(Bounds.timeout))
}

private func readLimits(_ section: Section, _ limits: inout Configuration.Limits) {
    section.read("connections", &limits.connections, .integer(1...1_000_000), or: "auto")
    section.read("handshakes", &limits.handshakes, .integer(1...100_000))
    section.read("bufferBytes", &limits.bufferBytes, .size(1 << 20...1 << 40))
    section.read("targetBytes", &limits.targetBytes, .size(8000...64 << 10))
    section.read("headBytes", &limits.headBytes, .size(16 << 10...96 << 10))
    section.read("fields", &limits.fields, .integer(16...1000))
    section.read("trailerBytes", &limits.trailerBytes, .size(0...64 << 10))
    section.read("bodyBytes", &limits.bodyBytes, .bodySize)
}

private func readAccessLog(_ section: Section, _ log: inout Configuration.AccessLog) {
    section.read("enabled", &log.enabled, .flag)
    section.read("query", &log.query, .flag)
    section.read("bufferBytes", &log.bufferBytes, .size(64 << 10...1 << 30))
}

extension Format<Int> {
    /// The size of a request body, which may be streamed and so may exceed memory.
    static var bodySize: Format { .size(0...1 << 50) }
}
