// A small file read whole: a token, a certificate.

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
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 16 * 1024)
    while true {
        let count = unsafe piece.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0 {
            if errno == EINTR { continue }
            throw SystemError(code: errno, call: "read")
        }
        if count == 0 { return bytes }
        guard bytes.count + count <= bytesMax else { throw SystemError(code: EFBIG, call: "read") }
        bytes.append(contentsOf: piece.prefix(count))
    }
}
