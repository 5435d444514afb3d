// Notices that a file has changed, once it has settled.

/// Compares a file's stamps from one look to the next.
///
/// Looking once a second needs no inotify, and sees what inotify does not: a link on the way to
/// the file that now leads elsewhere.
struct FileWatch<Stamp: Equatable> {
    /// The state that was taken over.
    private var taken: Stamp?
    /// The state at the last look.
    private var seen: Stamp?

    /// Starts from the state that is in force.
    init(_ stamp: Stamp?) {
        taken = stamp
        seen = stamp
    }

    /// Whether the file is to be taken over now.
    ///
    /// Only when two looks in a row saw the same: an editor may be half-way through writing. A
    /// file that is gone for a moment is no change.
    mutating func look(_ stamp: Stamp?) -> Bool {
        defer { seen = stamp }
        guard let stamp, stamp == seen, stamp != taken else { return false }
        taken = stamp
        return true
    }

    /// The state that somebody else has had taken over meanwhile.
    mutating func take(_ stamp: Stamp?) {
        taken = stamp
        seen = stamp
    }
}
