// How many descriptors the process may have open.

internal import CLinux

/// The limit of open descriptors (RLIMIT_NOFILE).
package enum DescriptorLimit {
    /// Raises the soft limit to the hard one; returns the limit in force.
    package static func raise() -> Int {
        let limit = sluice_raise_descriptor_limit()
        return limit > 0 ? Int(min(limit, 10_000_000)) : 1024
    }
}

/// Nanoseconds since 1970-01-01T00:00:00Z, for log lines outside any loop.
package func wallClockNanoseconds() -> Int64 { sluice_wall_ns() }
