import Testing

/// Nothing in the repository belongs to one person, one machine, or to nobody else's eyes.
@Suite struct `Secrets` {
    @Test func `no private key and no credential`() throws {
        let pattern =
            #"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}"#
            + #"|xox[bap]-[0-9A-Za-z-]{20,}"#
        for file in Tree.files {
            #expect(try file.lines(with: pattern) == [], "\(file.path)")
        }
    }

    @Test func `no path of one machine`() throws {
        let pattern = #"(?<![\w.$}])/(home|root|Users|work|private)/[A-Za-z]"#
        for file in Tree.files where !file.path.hasPrefix("Tests/TidyTests/") {
            for line in try file.lines(with: pattern) {
                Issue.record("\(file.path):\(line + 1): \(file.lines[line])")
            }
        }
    }
}
