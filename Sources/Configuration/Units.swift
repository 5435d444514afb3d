// Durations ("250ms", "1.5s", "2m", "1h") and sizes ("256KiB", "1MiB"): read and printed back.

/// Why a duration or a size cannot be read.
enum UnitError: Error, Equatable {
    /// It is not a number followed by something.
    case noNumber
    /// A number, but nothing after it.
    case noUnit
    /// What follows the number is no unit of this kind.
    case unknownUnit(String)
    /// More digits than any setting needs, or finer than the smallest step.
    case notRepresentable
}

/// The units of durations in microseconds, from the largest.
private let durationUnits: [(name: String, factor: Int)] = [
    ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1000), ("us", 1),
]

/// The units of sizes in bytes, from the largest.
private let sizeUnits: [(name: String, factor: Int)] = [
    ("PiB", 1 << 50), ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ("B", 1),
]

/// Reads a duration: a decimal number and `us`, `ms`, `s`, `m` or `h`, nothing between them.
func parseDuration(_ text: String) throws(UnitError) -> Duration {
    .microseconds(try parseQuantity(text, units: durationUnits))
}

/// Reads a size: a decimal number and `B`, `KiB`, `MiB`, `GiB`, `TiB` or `PiB`.
func parseSize(_ text: String) throws(UnitError) -> Int {
    try parseQuantity(text, units: sizeUnits)
}

/// Prints a duration as `parseDuration` reads it, in the largest unit that makes it short.
///
/// Whole microseconds; what is finer is cut. Zero is "0s".
package func formatDuration(_ duration: Duration) -> String {
    let (seconds, attoseconds) = duration.components
    let microseconds = Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000)
    if microseconds == 0 { return "0s" }
    for (name, factor) in durationUnits where microseconds % factor == 0 {
        // 1500ms reads better as 1.5s; 90s better than 1.5m.
        if factor < 1_000_000, abs(microseconds) > 1_000_000 { break }
        return "\(microseconds / factor)\(name)"
    }
    let fraction = String(1_000_000 + abs(microseconds) % 1_000_000).dropFirst()
    let digits = String(fraction.reversed().drop { $0 == "0" }.reversed())
    return "\(microseconds < 0 ? "-" : "")\(abs(microseconds) / 1_000_000).\(digits)s"
}

/// Prints a size as `parseSize` reads it, in the largest unit that divides it.
package func formatSize(_ bytes: Int) -> String {
    for (name, factor) in sizeUnits where bytes != 0 && bytes % factor == 0 {
        return "\(bytes / factor)\(name)"
    }
    return "0B"
}

/// Reads a number and its unit, as a multiple of the smallest unit.
private func parseQuantity(
    _ text: String,
    units: [(name: String, factor: Int)]
) throws(UnitError) -> Int {
    let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
    let unit = text.dropFirst(number.count)
    let parts = number.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
        throw .noNumber
    }
    guard !unit.isEmpty else { throw .noUnit }
    guard let factor = units.first(where: { $0.name == unit })?.factor else {
        throw .unknownUnit(String(unit))
    }
    let fraction = parts.count == 2 ? parts[1] : ""
    guard let digits = parseDecimal(parts[0] + fraction, max: .max) else {
        throw .notRepresentable
    }
    let scale = fraction.reduce(1) { product, _ in product * 10 }
    let (product, overflow) = digits.multipliedReportingOverflow(by: factor)
    guard !overflow, product % scale == 0 else { throw .notRepresentable }
    return product / scale
}
