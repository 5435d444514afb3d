// What a load remembers of each request, for those who reckon with it afterwards.

internal import FoundationEssentials
internal import Transport

/// What was seen of one exchange.
struct LoadNotes {
    /// What the stand-in says it worked, in microseconds.
    var worked: Int64?
    /// When each piece of the body came.
    var pieces: [Instant] = []
}

/// A line for each request.
struct LoadLog {
    private var lines: [String] = []

    /// Notes one request: when it was due since the start, how late it was sent, when the first of
    /// its body and the whole answer were there (both since it was due), the work of the stand-in,
    /// the outcome, and the gaps between the pieces of the body.
    ///
    /// `-` is what there was not.
    mutating func note(
        _ outcome: LoadOutcome,
        due: Duration,
        lag: Duration,
        latency: Duration,
        first: Duration?,
        _ notes: LoadNotes
    ) {
        let gaps = zip(notes.pieces.dropFirst(), notes.pieces).map { "\(($0 - $1).microseconds)" }
        let columns = [
            "\(due.microseconds)", "\(lag.microseconds)",
            first.map { "\($0.microseconds)" } ?? "-", "\(latency.microseconds)",
            notes.worked.map(String.init) ?? "-", "\(outcome)",
            gaps.isEmpty ? "-" : gaps.joined(separator: ","),
        ]
        lines.append(columns.joined(separator: " "))
    }

    /// Writes it.
    func write(to file: String) throws(UsageError) {
        let text = lines.map { $0 + "\n" }.joined()
        do {
            try text.write(toFile: file, atomically: false, encoding: .utf8)
        } catch {
            throw UsageError(text: "cannot write \(file)")
        }
    }
}
