// Settings that stand as annotations on objects of Kubernetes: texts by name, each for itself.

extension Configuration {
    /// Sets what annotations say, their names without `sluice.dev/`; returns what is wrong.
    ///
    /// What is wrong keeps the value it had. A text is only a text: it reads no variable.
    package static func annotate(
        _ settings: inout PoolSettings,
        _ route: inout Route,
        with annotations: [String: String]
    ) -> [String] {
        let reader = Reader(file: "", positions: Positions(of: ""), environment: [:])
        let item = Item(
            reader: reader,
            path: [],
            pattern: "",
            value: .object(annotations.mapValues { value(of: $0) })
        )
        item.section { section in
            section.read("concurrency", &settings.concurrency, .integer(Bounds.concurrency))
            section.read("queue-limit", &settings.queue.limit, .integer(0...1_000_000), or: "auto")
            readPolicy(section, &settings.policy)
            section.read("timeout", optional: &route.timeout, .duration(Bounds.timeout))
            section.read("idempotent", &route.idempotent, .flag)
        }
        reader.reportStrangers()
        return reader.diagnostics.map { diagnostic in
            let hint = diagnostic.hint.map { "; \($0)" } ?? ""
            return "annotation sluice.dev: \(diagnostic.message)\(hint)"
        }
    }

    /// A text as the kind of value that it looks like.
    private static func value(of text: String) -> JSONValue {
        if let number = Int(text) { return .integer(number) }
        if let flag = Bool(text) { return .flag(flag) }
        return .string(escapingVariables(text))
    }
}
