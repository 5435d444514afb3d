// What can only be judged when several settings are seen together.

/// Checks settings against each other and reports what does not fit.
func check(_ configuration: Configuration, _ reader: Reader) {
    checkListeners(configuration, reader)
    checkAdmin(configuration, reader)
    checkTrust(configuration, reader)
    checkPeers(configuration, reader)
    for pool in configuration.pools {
        let path: [PathStep] = [.key("pools"), .key(pool.name)]
        checkSource(pool.source, at: path, reader)
        checkSettings(pool.settings, at: path, reader)
    }
    checkRouteNames(configuration, reader)
    checkRouteConditions(configuration, reader)
    checkPoolsOfRoutes(configuration, reader)
}

private func checkListeners(_ configuration: Configuration, _ reader: Reader) {
    var seen: Set<Address> = []
    for (index, listener) in configuration.listeners.enumerated() {
        let path: [PathStep] = [.key("listeners"), .index(index)]
        if listener.address.port > 0, !seen.insert(listener.address).inserted {
            reader.report("`listeners` has \(listener.address) twice", at: path + [.key("address")])
        }
        if listener.tls != nil, listener.redirect != nil {
            reader.report(
                "a listener that speaks TLS has nothing to redirect to https",
                at: path + [.key("redirect")],
                hint: "`redirect` is for the listener beside it that speaks plain HTTP"
            )
        }
    }
}

private func checkAdmin(_ configuration: Configuration, _ reader: Reader) {
    let admin = configuration.admin
    let path: [PathStep] = [.key("admin"), .key("address")]
    if admin.address.port > 0,
        configuration.listeners.contains(where: { collide($0.address, admin.address) })
    {
        reader.report(
            "the admin address \(admin.address) is also a listener's",
            at: path,
            hint: "whoever can reach a listener must not reach the control commands"
        )
    }
    if !admin.address.isLoopback, admin.token == nil {
        reader.report(
            "an admin address beyond this machine needs a `token`",
            at: path,
            hint: "admin: { address: \"\(admin.address)\", token: \"${SLUICE_ADMIN_TOKEN}\" }"
        )
    }
}

/// Whether two addresses cannot be bound at once.
private func collide(_ left: Address, _ right: Address) -> Bool {
    guard left.port == right.port else { return false }
    let all = ["0.0.0.0", "::"]
    return left.host == right.host || all.contains(left.host) || all.contains(right.host)
}

private func checkPeers(_ configuration: Configuration, _ reader: Reader) {
    if configuration.peers != nil, configuration.admin.address.isLoopback {
        reader.report(
            "`peers` cannot be asked: the admin address is for this machine alone",
            at: [.key("peers")],
            hint: "gateways ask each other at their admin addresses: admin: { address: "
                + "\"0.0.0.0:9900\", token: \"${SLUICE_ADMIN_TOKEN}\" }"
        )
    }
    guard let metrics = configuration.externalMetrics, metrics.port > 0 else { return }
    let others = configuration.listeners.map(\.address) + [configuration.admin.address]
    if others.contains(where: { collide($0, metrics) }) {
        reader.report(
            "the address \(metrics) is also a listener's or the admin's",
            at: [.key("externalMetrics")]
        )
    }
}

private func checkTrust(_ configuration: Configuration, _ reader: Reader) {
    for (index, range) in configuration.trustedProxies.enumerated() where range.prefixLength == 0 {
        reader.report(
            "everybody is trusted: any client may claim any address and priority",
            at: reader.positions.value(at: [.key("trustedProxies"), .index(index)]),
            severity: .warning
        )
    }
}

private func checkSource(
    _ source: Configuration.ReplicaSource,
    at path: [PathStep],
    _ reader: Reader
) {
    switch source {
    case .replicas(let replicas):
        var seen: Set<Address> = []
        for (index, replica) in replicas.enumerated()
        where replica.address.port > 0 && !seen.insert(replica.address).inserted {
            reader.report(
                "the pool has the replica \(replica.address) twice",
                at: path + [.key("replicas"), .index(index)],
                hint: "a `weight` gives a replica more work"
            )
        }
    case .processes(let processes):
        let path = path + [.key("processes")]
        if processes.max < processes.min {
            reader.report(
                "`max` is \(processes.max), less than `min`, \(processes.min)",
                at: path + [.key("max")]
            )
        }
        let restart = processes.restart
        checkOrder(
            ("backoff", restart.backoff),
            ("backoffMax", restart.backoffMax),
            at: path + [.key("restart")],
            reader
        )
    case .dns, .kubernetes:
        break
    }
}

private func checkSettings(
    _ settings: Configuration.PoolSettings,
    at path: [PathStep],
    _ reader: Reader
) {
    checkOrder(
        ("ejectFor", settings.outliers.ejectFor),
        ("ejectForMax", settings.outliers.ejectForMax),
        at: path + [.key("outliers")],
        reader
    )
}

/// Reports a longest time that is shorter than the shortest.
private func checkOrder(
    _ low: (key: String, value: Duration),
    _ high: (key: String, value: Duration),
    at path: [PathStep],
    _ reader: Reader
) {
    guard high.value < low.value else { return }
    let (most, least) = (formatDuration(high.value), formatDuration(low.value))
    reader.report(
        "`\(high.key)` is \(most), less than `\(low.key)`, \(least)",
        at: path + [.key(high.key)]
    )
}

private func checkRouteNames(_ configuration: Configuration, _ reader: Reader) {
    var seen: [String: Int] = [:]
    for (index, route) in configuration.routes.enumerated() {
        guard let first = seen[route.name] else {
            seen[route.name] = index
            continue
        }
        reader.report(
            "two routes have the name \(quote(route.name)): routes[\(first)] and this",
            at: [.key("routes"), .index(index), .key("name")]
        )
    }
}

private func checkRouteConditions(_ configuration: Configuration, _ reader: Reader) {
    struct Conditions: Hashable {
        var host: Configuration.HostMatch
        var path: Configuration.PathMatch
        var methods: Set<String>
        var headers: [Configuration.HeaderMatch]
    }
    var seen: [Conditions: Int] = [:]
    for (index, route) in configuration.routes.enumerated()
    where !reader.hasProblem(within: [.key("routes"), .index(index)]) {
        let conditions = Conditions(
            host: route.host,
            path: route.path,
            methods: Set(route.methods),
            headers: route.headers
        )
        guard let first = seen[conditions] else {
            seen[conditions] = index
            continue
        }
        reader.report(
            "this route matches the same requests as routes[\(first)]",
            at: [.key("routes"), .index(index)],
            hint: "the order of routes does not matter: give it another condition"
        )
    }
}

private func checkPoolsOfRoutes(_ configuration: Configuration, _ reader: Reader) {
    let names = configuration.pools.map { $0.name }
    let known = Set(names)
    for (index, route) in configuration.routes.enumerated()
    where !route.pool.isEmpty && !known.contains(route.pool) {
        let near = nearest(to: route.pool, among: names)
        reader.report(
            "there is no pool \(quote(route.pool))",
            at: [.key("routes"), .index(index), .key("pool")],
            hint: near.map { "did you mean \"\($0)\"?" }
                ?? (names.isEmpty ? nil : "the pools are \(list(names))")
        )
    }
    // A route that is wrong may have been meant for any pool.
    guard !reader.hasProblem(within: [.key("routes")]) else { return }
    let used = Set(configuration.routes.map { $0.pool })
    for name in names where !used.contains(name) {
        reader.report(
            "no route leads to the pool \(quote(name))",
            at: reader.positions.key(name, at: [.key("pools")]),
            severity: .warning
        )
    }
}

private func list(_ names: [String]) -> String {
    let shown = names.prefix(8).joined(separator: ", ")
    return names.count > 8 ? "\(shown), …" : shown
}
