// What is wrong with a file and where, in the form that editors and people know.

/// A place in a text; both numbers count from 1, columns in characters.
package struct Position: Hashable, Sendable, Comparable {
    /// The line.
    package var line: Int

    /// The character in the line.
    package var column: Int

    /// Makes it of a line and a column, both from 1.
    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    /// Whether one place comes before another.
    package static func < (left: Position, right: Position) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }
}

/// One problem of a file.
package struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    /// An error makes the file unusable, a warning does not.
    package enum Severity: String, Sendable {
        case error, warning
    }

    /// Whether the file can be used all the same.
    package var severity: Severity

    /// The file as it was named.
    package var file: String

    /// Where the text is that is wrong.
    package var position: Position

    /// What is wrong and what was expected.
    package var message: String

    /// What to write instead, if there is a good guess.
    package var hint: String?

    /// The line of the file, for the caret.
    package var sourceLine: String

    /// The line of the file, counted from 1.
    package var line: Int { position.line }

    /// The character in the line, counted from 1.
    package var column: Int { position.column }

    /// `file:line:column: error: message`, the source line, a caret, and the hint.
    package var description: String {
        let place = "\(file):\(line):\(column)"
        var text = "\(place): \(severity.rawValue): \(message)"
        if !sourceLine.allSatisfy({ $0.isWhitespace }) {
            // Tabs stay tabs, so that the caret stands right whatever their width is.
            let indent = String(
                sourceLine.prefix(column - 1).map { $0 == "\t" ? $0 : " " }
            )
            text += "\n    \(sourceLine)\n    \(indent)^"
        }
        if let hint { text += "\n    hint: \(hint)" }
        return text
    }
}

/// Why a text gives no configuration.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    /// Every problem that was found, in the order of the file; at least one error.
    package var diagnostics: [Diagnostic]

    /// All problems, one below the other.
    package var description: String {
        diagnostics.map { $0.description }.joined(separator: "\n")
    }
}
