// A small file read whole: a token, a certificate, a configuration.

internal import CLinux
internal import Glibc

/// The bytes of a file of at most `bytesMax`.
///
/// Blocks; meant for files in memory, such as those a pod is given.
/// - Throws: what the system says; `EFBIG` for a longer file.
package func readSmallFile(_ path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw SystemError(code: errno, call: "open") }
    defer { _ = close(descriptor) }
    let bytes = try read(from: descriptor, upTo: bytesMax + 1)
    guard bytes.count <= bytesMax else { throw SystemError(code: EFBIG, call: "read") }
    return bytes
}

/// The first bytes of a file or a pipe, at most so many; of standard input without a path.
///
/// Blocks until they are there; for a command, or a thread that may wait.
/// - Throws: what the system says.
package func readBeginning(
    of path: String?,
    upTo bytesMax: Int
) throws(SystemError) -> [UInt8] {
    guard let path else { return try read(from: StandardStreams.input, upTo: bytesMax) }
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError(code: errno, call: "open") }
    defer { _ = close(descriptor) }
    return try read(from: descriptor, upTo: bytesMax)
}

private func read(
    from descriptor: Int32,
    upTo bytesMax: Int
) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 * 1024)
    while bytes.count < bytesMax {
        let count = unsafe piece.withUnsafeMutableBytes {
            unsafe Glibc.read(descriptor, $0.baseAddress, min($0.count, bytesMax - bytes.count))
        }
        if count < 0 {
            if errno == EINTR { continue }
            throw SystemError(code: errno, call: "read")
        }
        if count == 0 { break }
        bytes.append(contentsOf: piece.prefix(count))
    }
    return bytes
}
