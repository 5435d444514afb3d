// What the machine refused, as the errno it gave.

internal import CLinux
internal import Glibc

/// A failed system call.
package struct SystemError: Error, Equatable, CustomStringConvertible {
    /// The errno, positive.
    package let code: Int32
    /// The call that failed, for messages.
    package let call: StaticString

    package init(code: Int32, call: StaticString) {
        self.code = code
        self.call = call
    }

    package static func == (one: SystemError, other: SystemError) -> Bool {
        one.code == other.code
    }

    package var description: String {
        "\(call): \(SystemError.text(for: code))"
    }

    /// A deadline passed before the connection stood.
    package static let timedOut = SystemError(code: ETIMEDOUT, call: "connect")

    /// Whether the peer, and not this machine, is the cause.
    package var isPeers: Bool {
        switch code {
        case ECONNREFUSED, ECONNRESET, EPIPE, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENOTCONN,
            ECONNABORTED:
            true
        default:
            false
        }
    }

    /// The C library's words for an errno.
    package static func text(for code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}
