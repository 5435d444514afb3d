// Standard input, output and error: kept apart from sockets, written without surprises.

internal import CLinux
internal import Glibc

/// The three descriptors every process begins with.
package enum StandardStreams {
    /// Standard input.
    package static let input: Int32 = 0
    /// Standard output.
    package static let output: Int32 = 1
    /// Standard error.
    package static let error: Int32 = 2

    /// Opens `/dev/null` where one of the three is closed.
    ///
    /// Otherwise the next socket would get its number, and log lines would go to a client. To be
    /// called before anything is opened.
    package static func secure() {
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) < 0 {
            _ = unsafe open("/dev/null", O_RDWR)
        }
    }

    /// Writes all bytes, however long that takes; false when nobody will ever read them.
    ///
    /// Blocks: for a thread of its own, or a command.
    package static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { memory in
                unsafe Glibc.write(
                    descriptor,
                    memory.baseAddress.map { unsafe $0 + written },
                    memory.count - written
                )
            }
            if count > 0 {
                written += count
            } else if count < 0 && errno == EAGAIN {
                // Somebody else has made the pipe non-blocking.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = unsafe poll(&entry, 1, 1000)
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }

    /// Columns and rows of the terminal at standard output; nil when it is none.
    ///
    /// A terminal that does not know its size is taken for 80 × 24.
    package static var terminalSize: (columns: Int, rows: Int)? {
        var size = winsize()
        guard unsafe ioctl(output, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        guard size.ws_col > 0, size.ws_row > 0 else { return (80, 24) }
        return (Int(size.ws_col), Int(size.ws_row))
    }
}
