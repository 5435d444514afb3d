// Writes metrics in the Prometheus text format, version 0.0.4: HELP and TYPE once per family,
// escaped label values, cumulative histogram buckets.

/// A metrics page under construction.
///
/// Open a family, then write its samples; a family is written in one piece and only once.
package struct PrometheusText {
    /// The media type the page is sent with.
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The three kinds of family that sluice has.
    package enum Kind: String, Sendable {
        case counter
        case gauge
        case histogram
    }

    /// The page so far, UTF-8.
    package private(set) var bytes: [UInt8] = []
    private var name = ""
    private var names: Set<String> = []

    /// Starts an empty page.
    package init() {}

    /// Opens the family `name`; the samples that follow belong to it.
    ///
    /// Names are ours, not a caller's: one with a character outside `[a-zA-Z0-9_:]`, or one that
    /// was opened before, stops the process.
    package mutating func family(_ name: String, _ kind: Kind, help: String) {
        precondition(Self.isMetricName(name), "not a metric name: \(name)")
        precondition(names.insert(name).inserted, "metric family written twice: \(name)")
        self.name = name
        write("# HELP ")
        write(name)
        write(" ")
        writeEscaped(help, quotes: false)
        write("\n# TYPE ")
        write(name)
        write(" ")
        write(kind.rawValue)
        write("\n")
    }

    /// Writes one sample of the open family; `[:]` for a family without labels.
    package mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: Double) {
        writeSeries(suffix: "", labels, le: nil)
        write(Self.number(value))
        write("\n")
    }

    /// Writes one sample of the open family.
    package mutating func sample(_ labels: KeyValuePairs<String, String>, _ value: UInt64) {
        writeSeries(suffix: "", labels, le: nil)
        write(String(value))
        write("\n")
    }

    /// Writes one series of the open family, a histogram: its buckets, sum and count.
    package mutating func sample(
        _ labels: KeyValuePairs<String, String>,
        _ reading: HistogramReading
    ) {
        let bounds = reading.scale.boundsText
        var cumulated: UInt64 = 0
        for (index, count) in reading.counts.enumerated() {
            cumulated &+= count
            let isLast = index == bounds.count
            writeSeries(
                suffix: "_bucket",
                labels,
                le: isLast ? "+Inf" : bounds[index]
            )
            write(String(cumulated))
            write("\n")
        }
        writeSeries(suffix: "_sum", labels, le: nil)
        write(Self.number(reading.sumSeconds))
        write("\n")
        writeSeries(suffix: "_count", labels, le: nil)
        write(String(cumulated))
        write("\n")
    }

    /// Writes a whole family of gauges, read by the caller this moment.
    package mutating func gauge(_ name: String, help: String, samples: [GaugeSample]) {
        family(name, .gauge, help: help)
        for each in samples {
            sample(each.labels, each.value)
        }
    }

    // MARK: Text

    private mutating func writeSeries(
        suffix: String,
        _ labels: KeyValuePairs<String, String>,
        le: String?
    ) {
        precondition(!name.isEmpty, "sample before any family")
        write(name)
        write(suffix)
        var separator = "{"
        for (label, value) in labels {
            write(separator)
            write(label)
            write("=\"")
            writeEscaped(value, quotes: true)
            write("\"")
            separator = ","
        }
        if let le {
            write(separator)
            write("le=\"")
            write(le)
            write("\"")
            separator = ","
        }
        write(separator == "{" ? " " : "} ")
    }

    private mutating func write(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func writeEscaped(_ text: String, quotes: Bool) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\\"): write("\\\\")
            case UInt8(ascii: "\n"): write("\\n")
            case UInt8(ascii: "\"") where quotes: write("\\\"")
            default: bytes.append(byte)
            }
        }
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN {
            return "NaN"
        }
        if value.isInfinite {
            return value < 0 ? "-Inf" : "+Inf"
        }
        // Whole numbers without ".0", as the format's own examples have them.
        if let whole = Int64(exactly: value) {
            return String(whole)
        }
        return value.description
    }

    private static func isMetricName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !isDigit(first) else {
            return false
        }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "_"), UInt8(ascii: ":"):
                true
            default:
                isDigit(byte)
            }
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// One value of a gauge and the labels it is told apart by.
package struct GaugeSample: Sendable {
    /// Label names and values, in the order they are written.
    package let labels: KeyValuePairs<String, String>
    /// What it reads now.
    package let value: Double

    /// Makes the sample of one series.
    package init(_ labels: KeyValuePairs<String, String>, _ value: Double) {
        self.labels = labels
        self.value = value
    }

    /// Makes the only sample of a family without labels.
    package init(_ value: Double) {
        self.init([:], value)
    }
}
