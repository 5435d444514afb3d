// Wall-clock time as RFC 3339 text: `2026-03-01T09:30:00.125Z`.

/// A moment on the wall clock, taken apart in UTC.
///
/// The clock itself is the caller's: this module only spells what it is given.
package struct Timestamp: Sendable {
    /// Bytes of the spelling, for every year from 0 to 9999.
    static let length = 24

    private let year: UInt64
    private let month: UInt64
    private let day: UInt64
    private let millisecondOfDay: UInt64

    /// Takes a time apart.
    ///
    /// - Parameter nanoseconds: Since 1970-01-01 00:00 UTC; 64 bits reach to the year 2554.
    package init(nanoseconds: UInt64) {
        let milliseconds = nanoseconds / 1_000_000
        millisecondOfDay = milliseconds % 86_400_000

        // Days are counted from 0000-03-01, so that the leap day is the last of its year and
        // every 400-year era has the same 146,097 days (Hinnant, "chrono-compatible date
        // algorithms").
        let days = milliseconds / 86_400_000 + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let leaps = dayOfEra / 1_460 + dayOfEra / 146_096 - dayOfEra / 36_524
        let yearOfEra = (dayOfEra - leaps) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Writes the 24 bytes of the spelling.
    func write(into output: inout OutputSpan<UInt8>) {
        Self.writePair(year / 100, into: &output)
        Self.writePair(year % 100, into: &output)
        output.append(UInt8(ascii: "-"))
        Self.writePair(month, into: &output)
        output.append(UInt8(ascii: "-"))
        Self.writePair(day, into: &output)
        output.append(UInt8(ascii: "T"))
        Self.writePair(millisecondOfDay / 3_600_000, into: &output)
        output.append(UInt8(ascii: ":"))
        Self.writePair(millisecondOfDay / 60_000 % 60, into: &output)
        output.append(UInt8(ascii: ":"))
        Self.writePair(millisecondOfDay / 1_000 % 60, into: &output)
        output.append(UInt8(ascii: "."))
        output.append(UInt8(ascii: "0") + UInt8(millisecondOfDay / 100 % 10))
        Self.writePair(millisecondOfDay % 100, into: &output)
        output.append(UInt8(ascii: "Z"))
    }

    /// The spelling as a string.
    package var text: String {
        let bytes = [UInt8](capacity: Self.length) { write(into: &$0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func writePair(_ value: UInt64, into output: inout OutputSpan<UInt8>) {
        output.append(UInt8(ascii: "0") + UInt8(value / 10))
        output.append(UInt8(ascii: "0") + UInt8(value % 10))
    }
}
