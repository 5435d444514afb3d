// What the kernel counts of this process: CPU time, memory, descriptors, and since when it runs.

internal import CLinux
internal import Glibc

/// The figures behind the `process_*` metrics, read from `/proc` at one moment.
package struct ProcessFigures: Sendable, Equatable {
    /// CPU time of all threads, user and system, in seconds.
    package var cpuSeconds = 0.0
    /// Memory in RAM, in bytes.
    package var residentBytes: UInt64 = 0
    /// Address space, in bytes.
    package var virtualBytes: UInt64 = 0
    /// Start of the process, in seconds since 1970-01-01 UTC.
    package var startSeconds = 0.0
    /// Descriptors open now.
    package var openDescriptors: UInt64 = 0
    /// Most descriptors that may be open.
    package var descriptorsMax: UInt64 = 0

    /// Reads the figures now; what the system does not tell stays 0.
    ///
    /// Any thread may call. Blocks for some ten microseconds: `/proc` is memory.
    package static func read() -> ProcessFigures {
        var figures = ProcessFigures()
        if let stat = contents(of: "/proc/self/stat"),
            let boot = contents(of: "/proc/stat").flatMap(bootSeconds(in:))
        {
            figures.take(
                stat,
                bootSeconds: boot,
                ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))),
                pageBytes: UInt64(sysconf(Int32(_SC_PAGESIZE)))
            )
        }
        figures.openDescriptors = countDescriptors()
        var limit = rlimit()
        if unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            figures.descriptorsMax = UInt64(limit.rlim_cur)
        }
        return figures
    }

    /// Takes the fields of `/proc/PID/stat` (proc(5)); nothing when they are not all there.
    mutating func take(
        _ stat: String,
        bootSeconds: Double,
        ticksPerSecond: Double,
        pageBytes: UInt64
    ) {
        // The name of the program, in brackets, may hold blanks and brackets of its own.
        guard let nameEnd = stat.lastIndex(of: ")") else { return }
        let fields = stat[stat.index(after: nameEnd)...].split(whereSeparator: \.isWhitespace)
        // After pid and name: utime is the 14th field of the line, so the 12th here.
        guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
            let start = Double(fields[19]), let virtual = UInt64(fields[20]),
            let resident = UInt64(fields[21])
        else { return }
        cpuSeconds = (user + system) / ticksPerSecond
        startSeconds = bootSeconds + start / ticksPerSecond
        virtualBytes = virtual
        residentBytes = resident * pageBytes
    }

    /// When the machine started, from `/proc/stat`.
    static func bootSeconds(in text: String) -> Double? {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            return Double(line.dropFirst(6))
        }
        return nil
    }

    private static func countDescriptors() -> UInt64 {
        // Since Linux 6.2 the size of the folder is their number; before it is 0.
        var status = stat()
        if unsafe stat("/proc/self/fd", &status) == 0, status.st_size > 0 {
            return UInt64(status.st_size)
        }
        guard let folder = unsafe opendir("/proc/self/fd") else { return 0 }
        defer { unsafe closedir(folder) }
        var count: UInt64 = 0
        while unsafe readdir(folder) != nil { count += 1 }
        // Without `.`, `..` and the folder's own descriptor.
        return count > 3 ? count - 3 : 0
    }

    /// A small file of `/proc`; nil when it cannot be read.
    private static func contents(of path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { _ = Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        // 1 MiB: `/proc/stat` has a line for each core.
        while bytes.count < 1 << 20 {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count <= 0 { break }
            bytes.append(contentsOf: piece.prefix(count))
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
