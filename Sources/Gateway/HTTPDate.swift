// The current time as `Date` wants it, made once a second.

internal import HTTPWire

/// An IMF-fixdate (RFC 9110 §5.6.7), kept until the second changes.
struct HTTPDate {
    private var second: Int64 = -1
    private var text = [UInt8]()

    private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// Writes the date of a time given in nanoseconds since 1970.
    mutating func write(wallNanoseconds: Int64, into writer: inout ByteWriter) {
        let now = wallNanoseconds / 1_000_000_000
        if now != second {
            second = now
            text = Array(HTTPDate.format(now).utf8)
        }
        writer.write(text.span)
    }

    /// The date of a time in seconds since 1970, which is not before it.
    static func format(_ seconds: Int64) -> String {
        let days = seconds / 86_400
        let rest = seconds % 86_400
        let (year, month, day) = civil(days)
        let weekday = HTTPDate.days[Int(days % 7)]
        let clock = [rest / 3600, rest / 60 % 60, rest % 60].map { two($0) }
        return "\(weekday), \(two(day)) \(months[Int(month) - 1]) \(year) "
            + "\(clock[0]):\(clock[1]):\(clock[2]) GMT"
    }

    private static func two(_ number: Int64) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    /// Year, month and day of a day number since 1970, in eras of 400 years that start in March.
    private static func civil(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}
