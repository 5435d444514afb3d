// A TCP connection for commands that may wait: every call blocks, none beyond its deadline.

internal import CLinux
internal import Glibc

/// One client's connection, for a thread of its own; never for a loop.
package struct BlockingConnection: ~Copyable {
    private let descriptor: Int32
    private let deadline: Instant

    private init(_ descriptor: Int32, until deadline: Instant) {
        self.descriptor = descriptor
        self.deadline = deadline
    }

    /// Connects; the deadline bounds everything that follows.
    ///
    /// - Throws: what `connect` ended with; `ETIMEDOUT` when the deadline passed.
    package static func open(
        to address: Address,
        until deadline: Instant
    ) throws(SystemError) -> BlockingConnection {
        var (storage, length) = address.storage
        let started = unsafe sluice_connect(&storage, length)
        guard started >= 0 else { throw SystemError(code: -started, call: "connect") }
        let connection = BlockingConnection(started, until: deadline)
        try connection.wait(for: Int16(POLLOUT), "connect")
        let result = sluice_socket_error(started)
        guard result >= 0 else { throw SystemError(code: -result, call: "connect") }
        return connection
    }

    deinit { _ = Glibc.close(descriptor) }

    /// Sends all of `bytes`.
    ///
    /// - Throws: when the connection broke or the deadline passed.
    package func send(_ bytes: [UInt8]) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { memory in
                unsafe sluice_send(
                    descriptor,
                    memory.baseAddress.map { unsafe $0 + sent },
                    memory.count - sent
                )
            }
            if count >= 0 {
                sent += count
            } else if count == -Int(EAGAIN) {
                try wait(for: Int16(POLLOUT), "send")
            } else if count != -Int(EINTR) {
                throw SystemError(code: Int32(-count), call: "send")
            }
        }
    }

    /// Appends what comes next to `bytes`, at most 64 KiB; false when the peer has sent its last.
    ///
    /// - Throws: when the connection broke or the deadline passed.
    package func receive(into bytes: inout [UInt8]) throws(SystemError) -> Bool {
        var piece = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe sluice_receive(descriptor, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                bytes.append(contentsOf: piece.prefix(count))
                return count > 0
            } else if count == -Int(EAGAIN) {
                try wait(for: Int16(POLLIN), "recv")
            } else if count != -Int(EINTR) {
                throw SystemError(code: Int32(-count), call: "recv")
            }
        }
    }

    private func wait(for events: Int16, _ call: StaticString) throws(SystemError) {
        while true {
            let left = (deadline - .now).components
            guard left.seconds >= 0, left.attoseconds >= 0 else {
                throw SystemError(code: ETIMEDOUT, call: call)
            }
            let milliseconds = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000 + 1
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let ready = unsafe poll(&entry, 1, Int32(clamping: milliseconds))
            if ready > 0 { return }
            if ready < 0 && errno != EINTR { throw SystemError(code: errno, call: "poll") }
        }
    }
}
