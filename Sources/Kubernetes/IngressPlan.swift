// What Ingresses ask for, as routes, pools and certificates; and what is wrong with them.
//
// Nothing wrong with one object changes what becomes of another. Of two that claim the same path
// the older one has it.

/// The objects that the plan is made from.
package struct IngressObjects: Sendable, Equatable {
    /// The class that is served.
    package var className: String
    /// Ingresses of every class.
    package var ingresses: [Ingress]
    /// Classes.
    package var classes: [IngressClass]
    /// Services.
    package var services: [Service]
    /// Secrets with certificates.
    package var secrets: [Secret]

    /// Makes it of all that is known.
    package init(
        className: String,
        ingresses: [Ingress] = [],
        classes: [IngressClass] = [],
        services: [Service] = [],
        secrets: [Secret] = []
    ) {
        self.className = className
        self.ingresses = ingresses
        self.classes = classes
        self.services = services
        self.secrets = secrets
    }
}

/// Something that is wrong with an object.
package struct IngressProblem: Sendable, Hashable {
    /// The Ingress that it concerns.
    package var ingress: ObjectKey
    /// Its identity over time.
    package var uid: String
    /// One word for programs: `ServiceNotFound`.
    package var reason: String
    /// A sentence for people.
    package var message: String

    package init(_ ingress: Ingress, _ reason: String, _ message: String) {
        self.ingress = ingress.key
        uid = ingress.metadata.uid ?? ""
        self.reason = reason
        self.message = message
    }
}

/// Routes, pools and certificates.
package struct IngressPlan: Sendable, Equatable {
    /// Which hosts a route takes.
    package enum Host: Sendable, Hashable {
        /// Every host.
        case any
        /// This name, lower case.
        case exact(String)
        /// Every name with one label before `.` and this.
        case label(String)
    }

    /// Which paths a route takes.
    package enum Path: Sendable, Hashable {
        /// This path only.
        case exact(String)
        /// This path and what follows it after a `/`.
        case prefix(String)
    }

    /// One route.
    package struct Route: Sendable, Equatable {
        /// The Ingress it stands in.
        package var ingress: ObjectKey
        /// Which hosts it takes.
        package var host: Host
        /// Which paths it takes.
        package var path: Path
        /// The pool it leads to.
        package var pool: String
        /// What the Ingress says about it, without `sluice.dev/`.
        package var annotations: [String: String]
    }

    /// The replicas behind one port of a Service.
    package struct Pool: Sendable, Equatable {
        /// `namespace.service.port`, or shorter where that would be too long.
        package var name: String
        /// The Service.
        package var service: ObjectKey
        /// Its port as slices name it; nil: nobody is there.
        package var port: PortChoice?
        /// What the oldest Ingress and the Service say about it, without `sluice.dev/`.
        package var annotations: [String: String]
        /// Who says it.
        package var ingress: ObjectKey
    }

    /// A certificate from a Secret.
    package struct Certificate: Sendable, Equatable {
        /// The Secret.
        package var secret: ObjectKey
        /// The oldest Ingress that asks for it.
        package var ingress: ObjectKey
        /// The certificate and those that lead to its authority, PEM.
        package var certificate: [UInt8]
        /// Its key, PEM.
        package var key: [UInt8]
    }

    /// The routes, each condition once.
    package private(set) var routes: [Route] = []
    /// The pools they lead to, by name.
    package private(set) var pools: [Pool] = []
    /// The certificates, by Secret.
    package private(set) var certificates: [Certificate] = []
    /// What is wrong, by Ingress.
    package private(set) var problems: [IngressProblem] = []
    /// The Ingresses of the class, the oldest first.
    package private(set) var ingresses: [Ingress] = []

    /// What annotations for the gateway begin with.
    package static let annotationPrefix = "sluice.dev/"
    /// Those that concern the pool, and so everybody who leads to it.
    package static let poolAnnotations = ["concurrency", "queue-limit", "policy"]
    /// Most routes of all Ingresses together; most pools.
    package static let routesMax = 1000

    /// Makes the plan; the same objects in any order give the same one.
    package init(_ objects: IngressObjects) {
        var planning = Planning(objects)
        ingresses = planning.ingresses
        for ingress in ingresses { planning.take(ingress) }
        for ingress in ingresses { planning.takeDefault(ingress) }
        routes = planning.routes
        pools = planning.pools.sorted { $0.key < $1.key }.map(\.value)
        certificates = planning.certificates.sorted { $0.key < $1.key }.map(\.value)
        problems = planning.problems.sorted {
            ($0.ingress, $0.reason, $0.message) < ($1.ingress, $1.reason, $1.message)
        }
    }
}

/// A plan half-way.
private struct Planning {
    let ingresses: [Ingress]
    private let services: [ObjectKey: Service]
    private let secrets: [ObjectKey: Secret]
    private(set) var routes: [IngressPlan.Route] = []
    private(set) var pools: [String: IngressPlan.Pool] = [:]
    private(set) var certificates: [ObjectKey: IngressPlan.Certificate] = [:]
    private(set) var problems: [IngressProblem] = []
    private var taken: [Condition: ObjectKey] = [:]
    private static let problemsMax = 1000

    private struct Condition: Hashable {
        var host: IngressPlan.Host
        var path: IngressPlan.Path
    }

    init(_ objects: IngressObjects) {
        services = Dictionary(objects.services.map { ($0.key, $0) }) { first, _ in first }
        secrets = Dictionary(objects.secrets.map { ($0.key, $0) }) { first, _ in first }
        let own = objects.classes.first { $0.metadata.name == objects.className }
        var mine: [Ingress] = []
        for ingress in objects.ingresses
        where Self.isOurs(ingress, objects.className, isDefault: own?.isDefault ?? false) {
            if let other = own?.spec?.controller, other != IngressClass.controller {
                let words = "the class \(objects.className) names the controller \(other)"
                problems.append(IngressProblem(ingress, "ForeignClass", words))
            } else {
                mine.append(ingress)
            }
        }
        ingresses = mine.sorted {
            let one = ($0.metadata.creationTimestamp ?? "", $0.key)
            let other = ($1.metadata.creationTimestamp ?? "", $1.key)
            return one < other
        }
    }

    private static func isOurs(
        _ ingress: Ingress,
        _ className: String,
        isDefault: Bool
    ) -> Bool {
        if let name = ingress.spec?.ingressClassName { return name == className }
        if let name = ingress.metadata.annotations?["kubernetes.io/ingress.class"] {
            return name == className
        }
        return isDefault
    }

    private mutating func complain(_ ingress: Ingress, _ reason: String, _ message: String) {
        guard problems.count < Self.problemsMax else { return }
        let problem = IngressProblem(ingress, reason, message)
        if !problems.contains(problem) { problems.append(problem) }
    }

    // MARK: rules

    mutating func take(_ ingress: Ingress) {
        for (index, rule) in (ingress.spec?.rules ?? []).enumerated() {
            guard let host = host(rule.host) else {
                complain(ingress, "BadHost", "rules[\(index)]: \(rule.host ?? "") is no host")
                continue
            }
            for path in rule.http?.paths ?? [] { take(path, of: host, ingress) }
        }
        for tls in ingress.spec?.tls ?? [] { take(tls, ingress) }
    }

    private mutating func take(
        _ path: Ingress.Path,
        of host: IngressPlan.Host,
        _ ingress: Ingress
    ) {
        let text = path.path ?? ""
        guard let match = match(text, path.pathType) else {
            let words =
                "\(text.isEmpty ? "an empty path" : text) is no path of the type "
                + (path.pathType ?? "Prefix")
            return complain(ingress, "BadPath", words)
        }
        claim(Condition(host: host, path: match), for: path.backend, ingress)
    }

    /// What no rule of any Ingress takes; claimed last, so that rules come first.
    mutating func takeDefault(_ ingress: Ingress) {
        guard let target = ingress.spec?.defaultBackend else { return }
        claim(Condition(host: .any, path: .prefix("/")), for: target, ingress)
    }

    private mutating func claim(
        _ condition: Condition,
        for target: Ingress.Backend,
        _ ingress: Ingress
    ) {
        if let owner = taken[condition] {
            let place = words(condition)
            let why =
                owner == ingress.key
                ? "\(place) stands here twice; the first counts"
                : "\(place) belongs to the Ingress \(owner), which is older"
            return complain(ingress, "PathTaken", why)
        }
        guard routes.count < IngressPlan.routesMax else {
            return complain(ingress, "TooManyRoutes", "beyond \(IngressPlan.routesMax) routes")
        }
        guard let pool = pool(for: target, ingress) else { return }
        taken[condition] = ingress.key
        routes.append(
            IngressPlan.Route(
                ingress: ingress.key,
                host: condition.host,
                path: condition.path,
                pool: pool,
                annotations: annotations(of: ingress.metadata)
            )
        )
    }

    private func words(_ condition: Condition) -> String {
        let host =
            switch condition.host {
            case .any: "*"
            case .exact(let name): name
            case .label(let name): "*.\(name)"
            }
        switch condition.path {
        case .exact(let path): return "\(host)\(path) (Exact)"
        case .prefix(let path): return "\(host)\(path)"
        }
    }

    // MARK: conditions

    private func host(_ text: String?) -> IngressPlan.Host? {
        guard let text, !text.isEmpty else { return .any }
        let name = text.lowercased()
        if name.hasPrefix("*.") {
            let rest = String(name.dropFirst(2))
            return isHost(rest) ? .label(rest) : nil
        }
        return isHost(name) ? .exact(name) : nil
    }

    private func isHost(_ name: String) -> Bool {
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        return name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { byte in
                        (0x61...0x7a).contains(byte) || (0x30...0x39).contains(byte)
                            || byte == 0x2d
                    }
            }
    }

    private func match(_ text: String, _ type: String?) -> IngressPlan.Path? {
        let isPath =
            text.hasPrefix("/") && text.utf8.count <= 2048
            && text.utf8.allSatisfy { (0x21...0x7e).contains($0) && $0 != 0x3f && $0 != 0x23 }
        switch type ?? "ImplementationSpecific" {
        case "Exact":
            return isPath ? .exact(text) : nil
        case "Prefix":
            return isPath ? .prefix(withoutSlash(text)) : nil
        case "ImplementationSpecific":
            // Taken as a prefix.
            if text.isEmpty { return .prefix("/") }
            return isPath ? .prefix(withoutSlash(text)) : nil
        default:
            return nil
        }
    }

    /// `/a/` takes what `/a` takes: elements are compared.
    private func withoutSlash(_ path: String) -> String {
        var path = path[...]
        while path.utf8.count > 1, path.hasSuffix("/") { path.removeLast() }
        return String(path)
    }

    // MARK: pools

    private func annotations(of metadata: ObjectMetadata) -> [String: String] {
        var found: [String: String] = [:]
        for (name, value) in metadata.annotations ?? [:]
        where name.hasPrefix(IngressPlan.annotationPrefix) {
            found[String(name.dropFirst(IngressPlan.annotationPrefix.count))] = value
        }
        return found
    }

    /// The name of the pool behind a port of a Service; made if it is new, and then by the oldest
    /// Ingress that asks for it.
    private mutating func pool(for target: Ingress.Backend, _ ingress: Ingress) -> String? {
        guard let wanted = target.service else {
            complain(ingress, "UnknownTarget", "only Services can be led to")
            return nil
        }
        let namespace = ingress.metadata.namespace ?? ""
        let key = ObjectKey(namespace: namespace, name: wanted.name)
        let label = wanted.port?.name ?? wanted.port?.number.map { String($0) } ?? "none"
        let name = Self.shortened("\(namespace).\(wanted.name).\(label)")
        let port = port(of: wanted, key, ingress)
        if let known = pools[name] {
            tellDifferences(from: known, ingress)
            return name
        }
        // What the Service says counts more: it is said once for all Ingresses.
        let own = services[key].map { annotations(of: $0.metadata) } ?? [:]
        pools[name] = IngressPlan.Pool(
            name: name,
            service: key,
            port: port,
            annotations: annotations(of: ingress.metadata).merging(own) { _, service in service },
            ingress: ingress.key
        )
        return name
    }

    /// A pool has one set of settings, whoever leads to it.
    private mutating func tellDifferences(from pool: IngressPlan.Pool, _ ingress: Ingress) {
        let own = annotations(of: ingress.metadata)
        for name in IngressPlan.poolAnnotations {
            guard let value = own[name], value != pool.annotations[name] else { continue }
            let owner = pool.ingress
            complain(
                ingress,
                "SettingTaken",
                "\(IngressPlan.annotationPrefix)\(name) of the Service \(pool.service) is "
                    + "\(pool.annotations[name] ?? "not set"), by the Service or \(owner)"
            )
        }
    }

    private mutating func port(
        of wanted: Ingress.Backend.Service,
        _ key: ObjectKey,
        _ ingress: Ingress
    ) -> PortChoice? {
        guard let service = services[key] else {
            complain(ingress, "ServiceNotFound", "there is no Service \(key)")
            return nil
        }
        if service.spec?.type == "ExternalName" {
            complain(ingress, "ServiceWithoutPods", "the Service \(key) is of type ExternalName")
            return nil
        }
        let found = (service.spec?.ports ?? []).first { port in
            guard (port.protocol ?? "TCP") == "TCP" else { return false }
            if let name = wanted.port?.name, !name.isEmpty { return port.name == name }
            return port.port == wanted.port?.number
        }
        guard let found else {
            let label = wanted.port?.name ?? wanted.port?.number.map { String($0) } ?? "without"
            complain(ingress, "PortNotFound", "the Service \(key) has no TCP port \(label)")
            return nil
        }
        return .named(found.name ?? "")
    }

    /// A name of at most 64 bytes: a longer one is cut, and told apart by a sum of all of it.
    private static func shortened(_ name: String) -> String {
        guard name.utf8.count > 64 else { return name }
        return String(decoding: name.utf8.prefix(47), as: UTF8.self) + "-"
            + hexadecimalSum(of: name)
    }

    // MARK: certificates

    private mutating func take(_ tls: Ingress.TLS, _ ingress: Ingress) {
        guard let name = tls.secretName, !name.isEmpty else { return }
        let key = ObjectKey(namespace: ingress.metadata.namespace ?? "", name: name)
        guard certificates[key] == nil else { return }
        guard let secret = secrets[key] else {
            let words = "there is no Secret \(key) of type \(Secret.tlsType)"
            return complain(ingress, "SecretNotFound", words)
        }
        guard let certificate = secret.bytes("tls.crt"), let own = secret.bytes("tls.key") else {
            let missing = secret.bytes("tls.crt") == nil ? "tls.crt" : "tls.key"
            return complain(ingress, "BadSecret", "the Secret \(key) has no \(missing)")
        }
        certificates[key] = IngressPlan.Certificate(
            secret: key,
            ingress: ingress.key,
            certificate: certificate,
            key: own
        )
    }
}

/// 16 hexadecimal digits that tell texts apart (FNV-1a); no secret depends on them.
func hexadecimalSum(of text: String) -> String {
    var sum: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in text.utf8 { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let digits = String(sum, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}
