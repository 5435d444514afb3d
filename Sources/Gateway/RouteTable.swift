// From a request's host, path, method and fields to its route; immutable once made.

internal import HTTPWire
internal import Telemetry

/// A rule from request to pool, with everything decided for its requests.
final class Route: Sendable {
    let name: String
    let pool: Pool
    let match: RouteMatch
    let rewriting: PathRewriting
    let timeout: Duration
    /// nil: what a trusted caller asks for, else 0.
    let priority: Int?
    let isIdempotent: Bool
    let attemptsMax: Int
    let bodyBytesMax: UInt64
    /// Lower case.
    let upgrades: [[UInt8]]
    let settings: PoolSettings
    let answerFields: AnswerFieldSwitches
    let metrics: RouteMetrics

    init(
        name: String,
        pool: Pool,
        match: RouteMatch,
        rewriting: PathRewriting,
        timeout: Duration,
        priority: Int?,
        isIdempotent: Bool,
        attemptsMax: Int,
        bodyBytesMax: UInt64,
        upgrades: [[UInt8]],
        settings: PoolSettings,
        answerFields: AnswerFieldSwitches,
        metrics: RouteMetrics
    ) {
        self.name = name
        self.pool = pool
        self.match = match
        self.rewriting = rewriting
        self.timeout = timeout
        self.priority = priority
        self.isIdempotent = isIdempotent
        self.attemptsMax = attemptsMax
        self.bodyBytesMax = bodyBytesMax
        self.upgrades = upgrades
        self.settings = settings
        self.answerFields = answerFields
        self.metrics = metrics
    }

    /// The path for the replica as a new beginning and a rest of the old path; nil: unchanged.
    func rewrite(_ path: Span<UInt8>) -> (prefix: [UInt8], rest: Range<Int>)? {
        let prefix: [UInt8]
        switch rewriting {
        case .keep: return nil
        case .strip: prefix = []
        case .replace(let replacement): prefix = replacement
        }
        let from = min(match.path.length, path.count)
        let rest = from..<path.count
        if rest.isEmpty { return (prefix.isEmpty ? [0x2f] : prefix, rest) }
        let startsWithSlash = path[from] == 0x2f
        if prefix.last == 0x2f && startsWithSlash { return (prefix, from + 1..<path.count) }
        if prefix.last != 0x2f && !startsWithSlash { return (prefix + [0x2f], rest) }
        return (prefix, rest)
    }
}

/// Which `Server-Timing` and `X-Sluice-*` fields an answer carries.
struct AnswerFieldSwitches: Sendable {
    var serverTiming = true
    var replica = true
    var attempts = true
    var reason = true
}

/// What becomes of the matched part of a path.
enum PathRewriting: Sendable {
    case keep
    case strip
    case replace([UInt8])
}

/// The conditions of a route.
struct RouteMatch: Sendable {
    enum Host: Sendable, Equatable {
        case any
        /// Lower case.
        case exact([UInt8])
        /// What the name ends in, the leading dot included; lower case.
        case suffix([UInt8])
        /// What the name ends in behind its first label, the dot included; lower case.
        case label([UInt8])
    }

    enum Path: Sendable, Equatable {
        /// This path and what follows it after a `/`.
        case prefix([UInt8])
        case exact([UInt8])
        case startsWith([UInt8])

        /// Bytes of the path that are matched.
        var length: Int {
            switch self {
            // "/" matches everything; nothing of the path is its own.
            case .prefix(let path): path == [0x2f] ? 0 : path.count
            case .exact(let path), .startsWith(let path): path.count
            }
        }
    }

    struct Field: Sendable {
        /// Lower case.
        var name: [UInt8]
        /// nil: any.
        var value: [UInt8]?
    }

    var host = Host.any
    var path = Path.prefix([0x2f])
    /// Empty: all.
    var methods: [[UInt8]] = []
    var fields: [Field] = []

    /// What makes one route more specific than another: host, then path, then conditions.
    var rank: (Int, Int, Int, Int) {
        let hostRank: Int
        switch host {
        case .any: hostRank = 0
        case .suffix(let suffix): hostRank = suffix.count * 2
        case .label(let suffix): hostRank = suffix.count * 2 + 1
        case .exact: hostRank = 1_000_000
        }
        var isExact = 0
        if case .exact = path { isExact = 1 }
        return (hostRank, path.length, isExact, (methods.isEmpty ? 0 : 1) + fields.count)
    }

    func matches(
        _ head: RequestHead,
        of source: Span<UInt8>,
        _ table: borrowing FieldTable
    ) -> Bool {
        matchesHost(source.part(head.host)) && matchesPath(source.part(head.path))
            && matchesMethod(source.part(head.methodRange)) && matchesFields(of: source, table)
    }

    private func matchesHost(_ authority: Span<UInt8>) -> Bool {
        let name = hostName(authority)
        switch host {
        case .any: return true
        case .exact(let exact): return name.equalsIgnoringCase(exact.span)
        case .suffix(let suffix):
            guard name.count > suffix.count else { return false }
            return name.extracting((name.count - suffix.count)..<name.count)
                .equalsIgnoringCase(suffix.span)
        case .label(let suffix):
            guard name.count > suffix.count else { return false }
            let first = name.count - suffix.count
            for index in 0..<first where name[index] == 0x2e { return false }
            return name.extracting(first..<name.count).equalsIgnoringCase(suffix.span)
        }
    }

    private func matchesPath(_ actual: Span<UInt8>) -> Bool {
        switch path {
        case .exact(let exact):
            return actual.count == exact.count && begins(actual, with: exact)
        case .startsWith(let beginning):
            return begins(actual, with: beginning)
        case .prefix(let prefix):
            if prefix == [0x2f] { return true }
            guard begins(actual, with: prefix) else { return false }
            return actual.count == prefix.count || actual[prefix.count] == 0x2f
        }
    }

    private func matchesMethod(_ method: Span<UInt8>) -> Bool {
        if methods.isEmpty { return true }
        for allowed in methods where allowed.count == method.count {
            if begins(method, with: allowed) { return true }
        }
        return false
    }

    private func matchesFields(of source: Span<UInt8>, _ table: borrowing FieldTable) -> Bool {
        for wanted in fields {
            var found = false
            for index in 0..<table.count {
                let field = table[index]
                guard source.part(field.nameRange).equalsIgnoringCase(wanted.name.span) else {
                    continue
                }
                let value = source.part(field.valueRange)
                if let expected = wanted.value {
                    guard value.count == expected.count, begins(value, with: expected) else {
                        continue
                    }
                }
                found = true
                break
            }
            if !found { return false }
        }
        return true
    }
}

/// All routes of one configuration, the most specific first.
struct RouteTable: Sendable {
    private let routes: [Route]

    init(_ routes: [Route]) {
        self.routes = routes.enumerated().sorted { one, other in
            let left = one.element.match.rank
            let right = other.element.match.rank
            return left == right ? one.offset < other.offset : left > right
        }.map(\.element)
    }

    /// The most specific route that takes the request; O(routes).
    func match(
        _ head: RequestHead,
        of source: Span<UInt8>,
        _ table: borrowing FieldTable
    ) -> Route? {
        for route in routes where route.match.matches(head, of: source, table) { return route }
        return nil
    }
}

/// The host of `host[:port]` without the port.
@_lifetime(copy authority)
func hostName(_ authority: Span<UInt8>) -> Span<UInt8> {
    var end = authority.count
    while end > 0, authority[end - 1] >= 0x30 && authority[end - 1] <= 0x39 { end -= 1 }
    guard end > 0, authority[end - 1] == 0x3a else { return authority }
    return authority.extracting(0..<(end - 1))
}

private func begins(_ bytes: Span<UInt8>, with beginning: [UInt8]) -> Bool {
    guard bytes.count >= beginning.count else { return false }
    for index in beginning.indices where bytes[index] != beginning[index] { return false }
    return true
}
