// What a reload would change, in words for the log and the operator.

/// The difference of two configurations.
package struct Plan: Sendable, CustomStringConvertible {
    /// One line per listener list, setting group, pool and route that changes, in that order.
    package let lines: [String]

    /// Whether nothing changes.
    package var isEmpty: Bool { lines.isEmpty }

    /// All lines on one, or "no changes".
    package var description: String {
        lines.isEmpty ? "no changes" : lines.joined(separator: "; ")
    }

    /// Compares what is in force with what is to be.
    package init(from old: Configuration, to new: Configuration) {
        var lines: [String] = []
        let listeners = difference(
            old.listeners.map { describe($0) },
            new.listeners.map { describe($0) }
        )
        if !listeners.isEmpty {
            lines.append("listeners: " + listeners.joined(separator: ", "))
        }
        lines += changes(old, new) { section, configuration in
            readGateway(section, &configuration)
        }
        lines += planPools(from: old.pools, to: new.pools)
        lines += planRoutes(from: old.routes, to: new.routes)
        self.lines = lines
    }
}

private func describe(_ listener: Configuration.Listener) -> String {
    guard let tls = listener.tls else {
        return "\(listener.address)" + (listener.redirect.map { " to https at \($0)" } ?? "")
    }
    var text =
        "\(listener.address) tls \(tls.certificates.map(\.certificate).joined(separator: " "))"
    if let authority = tls.clientCA { text += " \(tls.clientAuth.rawValue) \(authority)" }
    return text
}

/// What was added and what was removed, as `+new` and `-old`.
private func difference(_ old: [String], _ new: [String]) -> [String] {
    let (before, after) = (Set(old), Set(new))
    return new.filter { !before.contains($0) }.map { "+\($0)" }
        + old.filter { !after.contains($0) }.map { "-\($0)" }
}

/// The settings whose values differ, as `name old→new`; a secret's values are not told.
///
/// Reading an empty section notes each setting of a value with its name, so that what can be
/// read can be compared.
private func changes<Value>(
    _ old: Value,
    _ new: Value,
    _ read: (Section, inout Value) -> Void
) -> [String] {
    let (before, after) = (settings(of: old, read), settings(of: new, read))
    return zip(before, after).compactMap { old, new in
        guard old.value != new.value else { return nil }
        guard new.shown == .value else { return "\(new.name) changed" }
        return "\(new.name) \(told(old.value))→\(told(new.value))"
    }
}

private func settings<Value>(
    of value: Value,
    _ read: (Section, inout Value) -> Void
) -> [Setting] {
    let reader = Reader(file: "", positions: Positions(of: ""), environment: [:])
    var copy = value
    read(Section(reader: reader, path: [], pattern: "", members: [:], fallback: nil), &copy)
    return reader.settings
}

/// A value without the quotes that a file needs.
private func told(_ value: JSONValue?) -> String {
    switch value {
    case nil: "none"
    case .string(let text): text
    case .some(let value): printed(value)
    }
}

private func planPools(
    from old: [Configuration.Pool],
    to new: [Configuration.Pool]
) -> [String] {
    var before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    var lines: [String] = []
    for pool in new {
        guard let former = before.removeValue(forKey: pool.name) else {
            lines.append("\(pool.name): new pool, \(summary(of: pool.source))")
            continue
        }
        let parts =
            changesOfSource(from: former.source, to: pool.source)
            + changes(former.settings, pool.settings) { readPoolSettings($0, &$1) }
            + changesOfTLS(from: former.settings.tls, to: pool.settings.tls)
        if !parts.isEmpty { lines.append("\(pool.name): " + parts.joined(separator: ", ")) }
    }
    return lines + old.filter { before[$0.name] != nil }.map { "\($0.name): pool removed" }
}

private func summary(of source: Configuration.ReplicaSource) -> String {
    switch source {
    case .replicas(let replicas): count(replicas.count, "replica")
    case .dns(let dns): "dns \(dns.name):\(dns.port)"
    case .processes(let processes):
        "processes \(processes.min) to \(processes.max) of \(processes.command.first ?? "")"
    case .kubernetes(let kubernetes):
        "kubernetes \(kubernetes.namespace)/\(kubernetes.service):\(kubernetes.port.words)"
    }
}

private func count(_ number: Int, _ thing: String) -> String {
    "\(number) \(thing)\(number == 1 ? "" : "s")"
}

private func changesOfSource(
    from old: Configuration.ReplicaSource,
    to new: Configuration.ReplicaSource
) -> [String] {
    switch (old, new) {
    case (.replicas(let old), .replicas(let new)):
        return changesOfReplicas(from: old, to: new)
    case (.processes(let old), .processes(let new)):
        // A command may hold what is secret in its arguments.
        return (old.command == new.command ? [] : ["command changed"])
            + changes(old, new) { readProcessSettings($0, &$1) }
    case (.dns(let old), .dns(let new)) where old.name == new.name && old.port == new.port:
        guard old.every != new.every else { return [] }
        return ["dns.every \(formatDuration(old.every))→\(formatDuration(new.every))"]
    default:
        return old == new ? [] : ["\(summary(of: old))→\(summary(of: new))"]
    }
}

private func changesOfReplicas(
    from old: [Configuration.Replica],
    to new: [Configuration.Replica]
) -> [String] {
    let before = Dictionary(old.map { ($0.address, $0) }) { first, _ in first }
    let after = Set(new.map { $0.address })
    let added = new.count { before[$0.address] == nil }
    let removed = old.count { !after.contains($0.address) }
    var parts: [String] = []
    if added > 0 { parts.append("+" + count(added, "replica")) }
    if removed > 0 { parts.append("-" + count(removed, "replica")) }
    for replica in new {
        guard let former = before[replica.address] else { continue }
        if former.weight != replica.weight {
            parts.append("\(replica.address) weight \(former.weight)→\(replica.weight)")
        }
        if former.concurrency != replica.concurrency {
            let (old, new) = (former.concurrency, replica.concurrency)
            parts.append("\(replica.address) concurrency \(limit(old))→\(limit(new))")
        }
    }
    return parts
}

/// Only whether there is any: its settings, when both have it, are compared as settings are.
private func changesOfTLS(
    from old: Configuration.UpstreamTLS?,
    to new: Configuration.UpstreamTLS?
) -> [String] {
    if (old == nil) == (new == nil) { return [] }
    return [new == nil ? "tls off" : "tls on"]
}

private func limit(_ concurrency: Int?) -> String {
    concurrency.map { String($0) } ?? "the pool's"
}

private func planRoutes(
    from old: [Configuration.Route],
    to new: [Configuration.Route]
) -> [String] {
    var before = Dictionary(old.map { ($0.name, $0) }) { first, _ in first }
    var lines: [String] = []
    for route in new {
        guard let former = before.removeValue(forKey: route.name) else {
            lines.append("route \(route.name) new, to \(route.pool)")
            continue
        }
        let parts =
            changesOfConditions(from: former, to: route)
            + changes(former, route) { readRouteSettings($0, &$1) }
        if !parts.isEmpty { lines.append("route \(route.name): " + parts.joined(separator: ", ")) }
    }
    return lines + old.filter { before[$0.name] != nil }.map { "route \($0.name) removed" }
}

private func changesOfConditions(
    from old: Configuration.Route,
    to new: Configuration.Route
) -> [String] {
    var parts: [String] = []
    if old.pool != new.pool { parts.append("pool \(old.pool)→\(new.pool)") }
    let (before, after) = (routePlace(old), routePlace(new))
    if before != after { parts.append("\(before)→\(after)") }
    if old.methods != new.methods {
        parts.append("methods \(methods(of: old))→\(methods(of: new))")
    }
    // Values of fields may be keys of customers.
    if old.headers != new.headers { parts.append("headers changed") }
    return parts
}

private func methods(of route: Configuration.Route) -> String {
    route.methods.isEmpty ? "all" : route.methods.joined(separator: ",")
}

extension Configuration.Kubernetes.Port {
    fileprivate var words: String {
        switch self {
        case .number(let number): "\(number)"
        case .name(let name): name
        }
    }
}
