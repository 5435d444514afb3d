// Reads the settings of routes: which requests they take and what happens to those.

/// Reads all routes; what one does not say about response headers, `headers` says.
func readRoutes(
    _ top: Section,
    headers: Configuration.ResponseHeaders
) -> [Configuration.Route] {
    let expected = "a list such as [{ path: \"/predict\", pool: \"sales\" }]"
    guard let item = top.item("routes") else {
        // An Ingress brings its own.
        if top.item("ingress") != nil { return [] }
        top.reader.report("`routes` is missing", at: [], hint: "expected \(expected)")
        return []
    }
    guard let elements = item.elements(max: Bounds.routes, expected: expected) else { return [] }
    if elements.isEmpty {
        item.problem("at least one route is needed", hint: "expected \(expected)")
        top.recordEmpty("routes", .list([]))
    }
    var routes = elements.map { element in
        var route = Configuration.Route(name: "", pool: "")
        route.responseHeaders = headers
        element.section(expected: "an object such as { pool: \"sales\" }") { section in
            readRoute(section, &route)
        }
        return route
    }
    // Given names first, so that none of them is taken when it comes.
    var names = Set(routes.map { $0.name })
    for index in routes.indices where routes[index].name.isEmpty {
        routes[index].name = freeName(for: routes[index], taken: names)
        names.insert(routes[index].name)
    }
    return routes
}

private func readRoute(_ section: Section, _ route: inout Configuration.Route) {
    var name: String?
    section.read("name", optional: &name, .routeName)
    route.name = name ?? ""
    section.read("host", &route.host, .host)
    readPath(section, &route.path)
    section.read("methods", &route.methods, Format.method.list(max: 32, of: "methods"))
    section.read("headers", &route.headers, .headers)
    let pool = Format<String>.text("the name of a pool", max: 64)
    route.pool = section.require("pool", pool) ?? ""
    readRouteSettings(section, &route)
}

/// Reads what happens to the requests of a route.
func readRouteSettings(_ section: Section, _ route: inout Configuration.Route) {
    readRewrite(section, &route.rewrite)
    section.read("timeout", optional: &route.timeout, .duration(Bounds.timeout))
    section.read("priority", optional: &route.priority, .integer(-1000...1000))
    section.read("idempotent", &route.idempotent, .flag)
    section.read("attempts", optional: &route.attempts, .attempts)
    section.read("bodyBytes", optional: &route.bodyBytes, .bodySize)
    section.read("upgrades", &route.upgrades, Format.protocolName.list(max: 16, of: "protocols"))
    if route.upgrades.contains("h2c") {
        section.item("upgrades")?.problem("\"h2c\" would lead around every route and limit")
    }
    let inner = Section(
        reader: section.reader,
        path: section.path,
        pattern: section.pattern,
        members: section.members,
        fallback: []
    )
    inner.section("responseHeaders") { readResponseHeaders($0, &route.responseHeaders) }
}

private func readPath(_ section: Section, _ path: inout Configuration.PathMatch) {
    guard let item = section.item("path"), case .object = item.value else {
        section.read("path", &path, .pathMatch)
        return
    }
    item.section { inner in
        if let exact = inner.require("exact", .path) { path = .exact(exact) }
    }
}

private func readRewrite(_ section: Section, _ rewrite: inout Configuration.PathRewrite) {
    var strip = rewrite == .strip
    var replacement: String?
    if case .replace(let path) = rewrite { replacement = path }
    section.read("stripPrefix", &strip, .flag)
    section.read("replacePrefix", optional: &replacement, .path)
    if strip, replacement != nil {
        section.item("replacePrefix")?.problem(
            "the prefix is either stripped or replaced",
            hint: "leave out `stripPrefix`"
        )
    }
    rewrite = strip ? .strip : replacement.map { .replace($0) } ?? .keep
}

/// A name for a route that has none: its host and path, its methods if need be, then a number.
private func freeName(for route: Configuration.Route, taken: Set<String>) -> String {
    let place = routePlace(route)
    if !taken.contains(place) { return place }
    let methods = route.methods.joined(separator: ",")
    if !methods.isEmpty, !taken.contains("\(methods):\(place)") { return "\(methods):\(place)" }
    var number = 2
    while taken.contains("\(place)#\(number)") { number += 1 }
    return "\(place)#\(number)"
}

/// Host and path of a route as they are written in a file.
func routePlace(_ route: Configuration.Route) -> String {
    let host =
        switch route.host {
        case .any: ""
        case .exact(let name): name
        case .suffix(let name): "*.\(name)"
        case .label(let name): "?.\(name)"
        }
    return switch route.path {
    case .prefix(let path): host + path
    case .exact(let path): "\(host)=\(path)"
    case .startsWith(let path): "\(host)\(path)*"
    }
}

extension Format<Configuration.HostMatch> {
    /// A host, `*.suffix`, or `*` for every host.
    static var host: Format {
        let expected = "a host such as \"api.example.com\" or \"*.example.com\""
        return Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected)?.lowercased() else { return nil }
                if text == "*" { return .any }
                let name = text.hasPrefix("*.") ? String(text.dropFirst(2)) : text
                let isAddress = parseIP(bracketless(name)) != nil
                guard isHostName(name) || (isAddress && name == text) else {
                    let hint = text.contains(":") ? "a host without its port" : nil
                    item.problem("expected \(expected), found \(quote(text))", hint: hint)
                    return nil
                }
                return name == text ? .exact(name) : .suffix(name)
            },
            print: { host in
                switch host {
                case .any: .string("*")
                case .exact(let name): .string(name)
                case .suffix(let name): .string("*.\(name)")
                case .label(let name): .string("?.\(name)")
                }
            }
        )
    }
}

private func bracketless(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
}

extension Format<Configuration.PathMatch> {
    /// A prefix on segment borders, or the beginning of a path with `*` after it.
    static var pathMatch: Format {
        let expected = "a path such as \"/predict\", \"/v1/mod*\" or { exact: \"/predict\" }"
        return Format(
            expected: expected,
            parse: { item in
                guard let text = item.text(expected: expected) else { return nil }
                let path = text.hasSuffix("*") ? String(text.dropLast()) : text
                guard isPath(path), !path.contains("*") else {
                    let hint = path.contains("*") ? "`*` stands at the end only" : pathHint
                    item.problem("expected \(expected), found \(quote(text))", hint: hint)
                    return nil
                }
                if path != text { return .startsWith(path) }
                // "/v1/" and "/v1" are the same prefix: both take "/v1" and "/v1/x".
                return .prefix(path.count > 1 && path.hasSuffix("/") ? trimmed(path) : path)
            },
            print: { match in
                switch match {
                case .prefix(let path): .string(path)
                case .startsWith(let path): .string("\(path)*")
                case .exact(let path): .object(["exact": .string(path)])
                }
            }
        )
    }

    private static func trimmed(_ path: String) -> String {
        let kept = path.reversed().drop { $0 == "/" }.reversed()
        return kept.isEmpty ? "/" : String(kept)
    }
}

extension Format<[Configuration.HeaderMatch]> {
    /// Names of fields, each with the value it must have, or `true` for any.
    static var headers: Format {
        let expected = "an object such as { \"X-Model\": \"v2\", \"X-Trial\": true }"
        return Format(
            expected: expected,
            parse: { item in
                guard let members = item.members(max: 16, expected: expected) else { return nil }
                let matches = members.compactMap { readHeader($0.name, $0.item) }
                guard matches.count == members.count else { return nil }
                if Set(matches.map { $0.name }).count < matches.count {
                    item.problem("a field stands here twice; case does not matter")
                    return nil
                }
                return matches.sorted { $0.name < $1.name }
            },
            print: { matches in
                let pairs = matches.map {
                    ($0.name, $0.value.map { JSONValue.string($0) } ?? .flag(true))
                }
                return .object(Dictionary(pairs) { first, _ in first })
            }
        )
    }
}

private func readHeader(_ name: String, _ item: Item) -> Configuration.HeaderMatch? {
    guard isToken(name) else {
        item.problem("expected the name of a field, found \(quote(name))")
        return nil
    }
    if item.value == .flag(true) { return Configuration.HeaderMatch(name: name.lowercased()) }
    guard let value = item.text(expected: "the value it must have, or true") else { return nil }
    let isVisible = value.utf8.allSatisfy { (0x20...0x7e).contains($0) || $0 >= 0x80 }
    guard isVisible, value.first != " ", value.last != " " else {
        item.problem("a value has no control characters and no spaces at its ends")
        return nil
    }
    return Configuration.HeaderMatch(name: name.lowercased(), value: value)
}
