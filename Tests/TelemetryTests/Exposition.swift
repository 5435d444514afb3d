// A strict reader of the Prometheus text format, to check our pages by rules of its own.

/// A metrics page, read; throws on the first thing that a scraper might stumble over.
struct Exposition {
    struct Fault: Error, CustomStringConvertible {
        let line: Int
        let description: String
    }

    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    private(set) var types: [String: String] = [:]
    private(set) var helps: [String: String] = [:]
    private(set) var samples: [Sample] = []

    private var line = 0
    private var family = ""
    private var seen: Set<String> = []

    init(_ bytes: [UInt8]) throws(Fault) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Fault(line: 0, description: "not UTF-8")
        }
        guard text.isEmpty || text.utf8.last == UInt8(ascii: "\n") else {
            throw Fault(line: 0, description: "does not end in a newline")
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            self.line += 1
            if line.hasPrefix("# HELP ") {
                try readHelp(line.dropFirst(7))
            } else if line.hasPrefix("# TYPE ") {
                try readType(line.dropFirst(7))
            } else {
                try readSample(line)
            }
        }
        for (name, type) in types where type == "histogram" {
            try checkHistogram(name)
        }
    }

    func value(_ name: String, _ labels: [String: String] = [:]) -> Double? {
        samples.first { $0.name == name && $0.labels == labels }?.value
    }

    private func fault(_ description: String) -> Fault {
        Fault(line: line, description: description)
    }

    private mutating func readHelp(_ text: Substring) throws(Fault) {
        guard let space = text.firstIndex(of: " ") else {
            throw fault("HELP without text")
        }
        let name = String(text[..<space])
        guard helps[name] == nil else {
            throw fault("second HELP of \(name)")
        }
        helps[name] = try unescape(text[text.index(after: space)...], quotes: false)
        family = name
    }

    private mutating func readType(_ text: Substring) throws(Fault) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, ["counter", "gauge", "histogram"].contains(parts[1]) else {
            throw fault("bad TYPE")
        }
        guard parts[0] == family, types[family] == nil else {
            throw fault("TYPE of \(parts[0]) does not follow its HELP")
        }
        types[family] = String(parts[1])
        if parts[1] == "counter", !family.hasSuffix("_total") {
            throw fault("counter \(family) is not called …_total")
        }
    }

    private mutating func readSample(_ text: Substring) throws(Fault) {
        var rest = text
        let name = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        rest = rest.dropFirst(name.count)
        guard !name.isEmpty, name.first?.isNumber == false else {
            throw fault("no metric name")
        }
        var labels: [String: String] = [:]
        if rest.first == "{" {
            try readLabels(&rest, into: &labels)
        }
        guard rest.first == " ", let value = Self.number(rest.dropFirst()) else {
            throw fault("no value: \(rest)")
        }
        guard let type = types[family] else {
            throw fault("\(name) before HELP and TYPE")
        }
        let names =
            type == "histogram" ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
        guard names.contains(name) else {
            throw fault("\(name) inside the family \(family)")
        }
        let series = name + labels.sorted { $0.key < $1.key }.description
        guard seen.insert(series).inserted else {
            throw fault("series written twice: \(series)")
        }
        samples.append(Sample(name: name, labels: labels, value: value))
    }

    private func readLabels(
        _ rest: inout Substring,
        into labels: inout [String: String]
    ) throws(Fault) {
        repeat {
            rest = rest.dropFirst()
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty, rest.hasPrefix("=\"") else {
                throw fault("bad label: \(rest)")
            }
            rest = rest.dropFirst(2)
            var end = rest.startIndex
            while end < rest.endIndex, rest[end] != "\"" {
                let isEscape = rest[end] == "\\"
                end =
                    rest.index(end, offsetBy: isEscape ? 2 : 1, limitedBy: rest.endIndex)
                    ?? rest.endIndex
            }
            guard end < rest.endIndex else {
                throw fault("label value without end")
            }
            let value = try unescape(rest[..<end], quotes: true)
            guard labels.updateValue(value, forKey: String(name)) == nil else {
                throw fault("label \(name) twice")
            }
            rest = rest[rest.index(after: end)...]
        } while rest.first == ","
        guard rest.first == "}" else {
            throw fault("labels without end")
        }
        rest = rest.dropFirst()
    }

    private func unescape(_ text: Substring, quotes: Bool) throws(Fault) -> String {
        var result = ""
        var rest = text[...]
        while let character = rest.popFirst() {
            guard character == "\\" else {
                result.append(character)
                continue
            }
            switch rest.popFirst() {
            case "\\": result.append("\\")
            case "n": result.append("\n")
            case "\"" where quotes: result.append("\"")
            default: throw fault("bad escape in \(text)")
            }
        }
        return result
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "+Inf": .infinity
        case "-Inf": -.infinity
        case "NaN": .nan
        default: text.contains { $0.isLetter && $0 != "e" } ? nil : Double(text)
        }
    }

    private func checkHistogram(_ name: String) throws(Fault) {
        var series: [[String: String]: [(bound: Double, count: Double)]] = [:]
        for sample in samples where sample.name == name + "_bucket" {
            guard let le = sample.labels["le"], let bound = Self.number(le[...]) else {
                throw fault("\(name): bucket without bound")
            }
            let labels = sample.labels.filter { $0.key != "le" }
            series[labels, default: []].append((bound, sample.value))
        }
        for (labels, buckets) in series {
            for (left, right) in zip(buckets, buckets.dropFirst()) {
                guard left.bound < right.bound, left.count <= right.count else {
                    throw fault("\(name) \(labels): buckets are not in order")
                }
            }
            guard buckets.last?.bound == .infinity,
                buckets.last?.count == value(name + "_count", labels),
                value(name + "_sum", labels) != nil
            else {
                throw fault("\(name) \(labels): +Inf, sum and count do not fit")
            }
        }
        let counted = samples.filter { $0.name == name + "_count" }
        guard counted.count == series.count else {
            throw fault("\(name): count without buckets")
        }
    }
}
