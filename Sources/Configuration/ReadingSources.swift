// Reads where the replicas of a pool come from: the file, DNS, processes, Kubernetes.

/// Reads the one source of a pool; an empty one, with a report, when there is none or several.
func readSource(_ section: Section) -> Configuration.ReplicaSource {
    let names = ["replicas", "dns", "processes", "kubernetes"]
    let items = names.compactMap { section.item($0) }
    if items.isEmpty {
        section.reader.report(
            "the pool has no source of replicas",
            at: section.path,
            hint: "one of replicas, dns, processes, kubernetes"
        )
    }
    for second in items.dropFirst() {
        second.problem("a pool has one source of replicas, this is a further one")
    }
    if let item = section.item("replicas") { return readReplicas(section, item) }
    if let item = section.item("dns") { return readDNS(item) }
    if let item = section.item("processes") { return readProcesses(item) }
    if let item = section.item("kubernetes") { return readKubernetes(item) }
    return .replicas([])
}

private func readReplicas(_ section: Section, _ item: Item) -> Configuration.ReplicaSource {
    let expected = "a list such as [\"10.0.0.1:5000\", \"10.0.0.2:5000\"]"
    guard let elements = item.elements(max: Bounds.replicas, expected: expected) else {
        return .replicas([])
    }
    if elements.isEmpty { section.recordEmpty("replicas", .list([])) }
    return .replicas(elements.map { readReplica($0) })
}

private func readReplica(_ item: Item) -> Configuration.Replica {
    // A wrong replica keeps its place in the list, so that later checks point at the right one.
    var replica = Configuration.Replica(address: Address(host: "", port: 0))
    guard case .object = item.value else {
        replica.address = item.read(.replica) ?? replica.address
        return replica
    }
    item.section { section in
        replica.address = section.require("address", .replica) ?? replica.address
        section.read("weight", &replica.weight, .integer(1...1000))
        section.read("concurrency", optional: &replica.concurrency, .integer(Bounds.concurrency))
    }
    return replica
}

private func readDNS(_ item: Item) -> Configuration.ReplicaSource {
    var dns = Configuration.DNS(name: "", port: 1)
    item.section { section in
        dns.name = section.require("name", .hostName) ?? dns.name
        dns.port = section.require("port", .port) ?? dns.port
        let every = Duration.milliseconds(100)...Bounds.hour
        section.read("every", &dns.every, .duration(every))
    }
    return .dns(dns)
}

private func readKubernetes(_ item: Item) -> Configuration.ReplicaSource {
    var kubernetes = Configuration.Kubernetes(service: "", port: .number(1))
    item.section { section in
        kubernetes.service = section.require("service", .objectName) ?? ""
        section.read("namespace", &kubernetes.namespace, .objectName)
        kubernetes.port = section.require("port", .servicePort) ?? kubernetes.port
    }
    return .kubernetes(kubernetes)
}

private func readProcesses(_ item: Item) -> Configuration.ReplicaSource {
    var processes = Configuration.Processes(command: [])
    item.section { section in
        let command = section.require("command", .command, shown: .written)
        processes.command = command ?? []
        readProcessSettings(section, &processes)
    }
    return .processes(processes)
}

/// Reads everything about processes but the command.
func readProcessSettings(_ section: Section, _ processes: inout Configuration.Processes) {
    section.read("min", &processes.min, .integer(0...1000))
    // Without its own value the most is the fewest: nothing is scaled.
    processes.max = max(processes.max, processes.min)
    section.read("max", &processes.max, .integer(1...1000))
    section.read("env", &processes.environment, .variables, shown: .written)
    section.section("restart") { readRestart($0, &processes.restart) }
    let stop = Duration.zero...Bounds.minute * 10
    section.read("stopTimeout", &processes.stopTimeout, .duration(stop))
    section.read("drainTimeout", &processes.drainTimeout, .duration(.zero...Bounds.hour))
    section.section("log") { readProcessLog($0, &processes.log) }
}

private func readRestart(_ section: Section, _ restart: inout Configuration.Restart) {
    let backoff = Bounds.millisecond...Bounds.hour
    section.read("backoff", &restart.backoff, .duration(backoff))
    section.read("backoffMax", &restart.backoffMax, .duration(backoff))
    section.read("resetAfter", &restart.resetAfter, .duration(Bounds.timeout))
}

private func readProcessLog(_ section: Section, _ log: inout Configuration.ProcessLog) {
    section.read("lineBytes", &log.lineBytes, .size(80...1 << 20))
    section.read("bytesPerSecond", &log.bytesPerSecond, .size(1 << 10...1 << 30))
    section.read("burstBytes", &log.burstBytes, .size(80...1 << 30))
}

extension Format<Configuration.Kubernetes.Port> {
    /// A number, or the name of a port of a Service.
    fileprivate static var servicePort: Format {
        let expected = "a port, 1 to 65535, or the name of a port of the Service"
        let number = Format<Int>.port
        let name = Format<String>.text(expected, max: 63) { text in
            isObjectName(text) || Int(text) != nil ? text : nil
        }
        return Format(
            expected: expected,
            parse: { item in
                if case .integer = item.value { return number.parse(item).map { .number($0) } }
                guard let text = name.parse(item) else { return nil }
                guard let value = Int(text) else { return .name(text) }
                if (1...65535).contains(value) { return .number(value) }
                item.problem("must be 1 to 65535, found \(value)")
                return nil
            },
            print: { port in
                switch port {
                case .number(let value): .integer(value)
                case .name(let text): .string(text)
                }
            }
        )
    }
}

/// Whether a text can be the name of an object, as a label of DNS (RFC 1123 §2.1).
func isObjectName(_ text: String) -> Bool {
    isHostName(text) && !text.contains(".") && !text.contains("_") && text == text.lowercased()
}

extension Format<String> {
    /// The name of an object in Kubernetes.
    static var objectName: Format {
        text("a name of lower-case letters, digits and `-`", max: 63) { text in
            isObjectName(text) ? text : nil
        }
    }
}

extension Format<[String]> {
    /// A program and its arguments; arguments may be empty, the program may not.
    fileprivate static var command: Format {
        let expected = "a list such as [\"python\", \"model_service.py\"]"
        return Format(
            expected: expected,
            parse: { item in
                if case .string(let line) = item.value {
                    let words = line.split(separator: " ").prefix(8).map { quote(String($0)) }
                    let hint = "no shell reads it: [\(words.joined(separator: ", "))]"
                    item.wrongType(expected: expected, hint: hint)
                    return nil
                }
                guard let elements = item.elements(max: 256, expected: expected) else {
                    return nil
                }
                let words = elements.compactMap { $0.text(expected: "a string") }
                guard words.count == elements.count else { return nil }
                guard let program = words.first, !program.isEmpty else {
                    item.problem("the program is missing", hint: "expected \(expected)")
                    return nil
                }
                return words
            },
            print: { .list($0.map { .string($0) }) }
        )
    }
}

extension Format<[Configuration.Variable]> {
    /// Names and values of an environment.
    fileprivate static var variables: Format {
        let expected = "an object such as { MODEL_PATH: \"model.joblib\" }"
        return Format(
            expected: expected,
            parse: { item in
                guard let members = item.members(max: 256, expected: expected) else { return nil }
                let variables = members.compactMap { readVariable($0.name, $0.item) }
                guard variables.count == members.count else { return nil }
                return variables.sorted { $0.name < $1.name }
            },
            print: { variables in
                let pairs = variables.map { ($0.name, JSONValue.string($0.value)) }
                return .object(Dictionary(pairs) { first, _ in first })
            }
        )
    }
}

private func readVariable(_ name: String, _ item: Item) -> Configuration.Variable? {
    let isName = !name.isEmpty && !name.contains("=")
    guard isName else {
        item.problem("a name of a variable is not empty and has no `=`")
        return nil
    }
    guard name != "PORT" else {
        item.problem("the gateway gives each process its own PORT")
        return nil
    }
    var expected = "a string"
    if case .integer(let number) = item.value { expected += ": \"\(number)\"" }
    guard let value = item.text(expected: expected) else { return nil }
    return Configuration.Variable(name: name, value: value)
}
