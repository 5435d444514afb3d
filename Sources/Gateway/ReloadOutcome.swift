// What became of an attempt to take over a changed file.

/// The end of one reload, for the one who asked, `/status` and the metric.
package enum ReloadOutcome: Sendable, Equatable {
    /// The new configuration is in force; one line for each change, none when nothing changed.
    case applied([String])
    /// The old configuration stays; the problems of the new one, with their places.
    case refused(String)
    /// There is nothing to reload from.
    case unavailable(String)

    /// Whether the configuration in force is that of the file.
    var isApplied: Bool {
        if case .applied = self { return true }
        return false
    }
}

/// Reloads, and says once what came of it; on any thread.
package typealias Reload =
    @Sendable (_ done: @escaping @Sendable (ReloadOutcome) -> Void) -> Void
