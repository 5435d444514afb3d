// From the text of a file to a checked configuration, or to the list of all its problems.

/// What a text holds.
package struct LoadedConfiguration: Sendable {
    /// The checked configuration; nil when a diagnostic is an error.
    package var configuration: Configuration?

    /// Every problem, in the order of the file; warnings too.
    package var diagnostics: [Diagnostic]

    /// The configuration, if the text is in order.
    ///
    /// Throws all diagnostics when at least one is an error.
    package func checked() throws(ConfigurationError) -> Configuration {
        guard let configuration else { throw ConfigurationError(diagnostics: diagnostics) }
        return configuration
    }
}
