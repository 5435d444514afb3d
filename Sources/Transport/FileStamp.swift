// What tells one state of a file from another without reading it.

internal import CLinux
internal import Glibc

/// A file's identity, size and time of change at one moment.
///
/// Replacing the file by renaming another one over it, as editors do, or exchanging a link on the
/// way to it, as Kubernetes does with a ConfigMap, changes the stamp as writing to it does.
package struct FileStamp: Equatable, Sendable {
    private let device: UInt64
    private let number: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// The stamp now; nil when there is no such file, or no way to it.
    package init?(of path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        device = UInt64(status.st_dev)
        number = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}
