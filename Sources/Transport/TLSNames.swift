// Which of a server's certificates are shown to a client that asks for a name.

/// Certificates by name: of each kind of key the first one that is good for it.
///
/// Pure: certificates are meant by their places in the list that it was made of.
struct TLSNames {
    /// What decides of a certificate.
    struct Entry {
        /// Lower-case DNS names it is good for, wildcards among them.
        let names: [String]
        /// The kind of its key: two kinds can stand side by side, and each client gets the one
        /// whose signatures it takes.
        let kind: Int32
    }

    /// Places of certificates that are shown side by side; the default's are the first.
    private(set) var groups: [[Int]] = []
    private var exact: [String: Int] = [:]
    /// By what follows the asterisk: `.example.org`.
    private var wildcards: [String: Int] = [:]

    /// The first certificate is the default, together with those of other kinds that are good for
    /// its first name.
    init(_ entries: [Entry]) {
        guard let first = entries.first else { return }
        var lists: [String: [Int]] = [:]
        var order: [String] = []
        for (index, entry) in entries.enumerated() {
            for name in entry.names {
                let list = lists[name] ?? []
                if list.isEmpty { order.append(name) }
                guard !list.contains(where: { entries[$0].kind == entry.kind }) else { continue }
                lists[name] = list + [index]
            }
        }
        var places: [[Int]: Int] = [:]
        let standard = first.names.first.flatMap { lists[$0] } ?? [0]
        add(standard, &places)
        for name in order {
            let place = add(lists[name] ?? [], &places)
            if name.hasPrefix("*.") {
                wildcards[String(name.dropFirst())] = place
            } else {
                exact[name] = place
            }
        }
    }

    @discardableResult
    private mutating func add(_ group: [Int], _ places: inout [[Int]: Int]) -> Int {
        if let place = places[group] { return place }
        places[group] = groups.count
        groups.append(group)
        return groups.count - 1
    }

    /// The group for a lower-case name, 0 when none is good for it.
    ///
    /// Exact names first; a wildcard stands for one label, the first (RFC 6125 §6.4.3).
    func place(of name: String) -> Int {
        let name = name.hasSuffix(".") ? String(name.dropLast()) : name
        if let place = exact[name] { return place }
        guard let dot = name.firstIndex(of: "."), dot > name.startIndex else { return 0 }
        return wildcards[String(name[dot...])] ?? 0
    }
}
