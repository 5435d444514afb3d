// The real world: epoll, sockets and the kernel's clocks.

internal import CLinux
internal import Glibc

/// One loop's epoll instance and the system calls beside it.
///
/// `@unchecked Sendable`: `events` is touched in `poll` only, on the loop's thread.
@safe package final class SystemNetwork: Network, @unchecked Sendable {
    private let epoll: Int32
    /// Where the kernel writes what happened.
    private let events = UnsafeMutableBufferPointer<epoll_event>.allocate(capacity: batch)
    private let wakeup: Int32
    private static let wakeupToken = UInt64.max
    /// Events taken by one `epoll_wait`.
    private static let batch = 256

    /// - Throws: when the kernel gives no descriptor.
    package init() throws(SystemError) {
        epoll = sluice_epoll_create()
        guard epoll >= 0 else { throw SystemError(code: -epoll, call: "epoll_create1") }
        wakeup = sluice_eventfd()
        guard wakeup >= 0 else { throw SystemError(code: -wakeup, call: "eventfd") }
        let added = sluice_epoll_add(epoll, wakeup, SystemNetwork.wakeupToken, 0)
        guard added >= 0 else { throw SystemError(code: -added, call: "epoll_ctl") }
    }

    deinit {
        unsafe events.deallocate()
        _ = Glibc.close(epoll)
        _ = Glibc.close(wakeup)
    }

    package var monotonicNanoseconds: Int64 { sluice_monotonic_ns() }
    package var wallNanoseconds: Int64 { sluice_wall_ns() }

    package func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    package func poll(into events: inout [ReadyEvent], milliseconds: Int32) {
        guard let base = unsafe self.events.baseAddress else { return }
        let count = unsafe sluice_epoll_wait(
            epoll,
            base,
            Int32(SystemNetwork.batch),
            milliseconds
        )
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let event = unsafe base + index
            let token = unsafe sluice_event_token(event)
            if token == SystemNetwork.wakeupToken {
                sluice_eventfd_drain(wakeup)
                continue
            }
            let flags = unsafe sluice_event_flags(event)
            events.append(ReadyEvent(token: token, readiness: SystemNetwork.readiness(of: flags)))
        }
    }

    private static func readiness(of flags: UInt32) -> Readiness {
        var readiness = Readiness()
        if flags & EPOLLIN.rawValue != 0 { readiness.insert(.readable) }
        if flags & EPOLLOUT.rawValue != 0 { readiness.insert(.writable) }
        if flags & EPOLLRDHUP.rawValue != 0 { readiness.formUnion([.readable, .peerClosed]) }
        // Both directions have ended; what was received before can still be read.
        if flags & EPOLLHUP.rawValue != 0 {
            readiness.formUnion([.readable, .writable, .peerClosed])
        }
        if flags & EPOLLERR.rawValue != 0 {
            readiness.formUnion([.readable, .writable, .broken])
        }
        return readiness
    }

    package func interrupt() { sluice_eventfd_signal(wakeup) }

    package func register(_ descriptor: Int32, token: UInt64, watchesRoom: Bool) -> Int32 {
        sluice_epoll_add(epoll, descriptor, token, watchesRoom ? 1 : 0)
    }

    package func watchRoom(_ descriptor: Int32, token: UInt64) -> Int32 {
        sluice_epoll_watch_room(epoll, descriptor, token)
    }

    package func listen(at address: Address, backlog: Int32, shared: Bool) -> Int32 {
        var (storage, length) = address.storage
        return unsafe sluice_listen(&storage, length, backlog, shared ? 1 : 0)
    }

    package func keepBackSilent(at listener: Int32, _ isOn: Bool) {
        sluice_defer_accept(listener, isOn ? 1 : 0)
    }

    package func waiting(at listener: Int32) -> Int { Int(sluice_waiting(listener)) }

    package func accept(from listener: Int32, peer: inout Address?) -> Int32 {
        var storage = sockaddr_storage()
        let descriptor = unsafe sluice_accept(listener, &storage)
        if descriptor >= 0 { peer = Address(storage) }
        return descriptor
    }

    package func connect(to address: Address) -> Int32 {
        var (storage, length) = address.storage
        return unsafe sluice_connect(&storage, length)
    }

    package func connectionError(of descriptor: Int32) -> Int32 {
        sluice_socket_error(descriptor)
    }

    package func localAddress(of descriptor: Int32) -> Address? {
        var storage = sockaddr_storage()
        guard unsafe sluice_local_address(descriptor, &storage) >= 0 else { return nil }
        return Address(storage)
    }

    package func receive(_ descriptor: Int32, into memory: UnsafeMutableRawBufferPointer) -> Int {
        unsafe sluice_receive(descriptor, memory.baseAddress, memory.count)
    }

    package func send(_ descriptor: Int32, from memory: UnsafeRawBufferPointer) -> Int {
        unsafe sluice_send(descriptor, memory.baseAddress, memory.count)
    }

    package func openPipe() -> (Int32, Int32)? {
        var (readEnd, writeEnd): (Int32, Int32) = (-1, -1)
        guard unsafe sluice_pipe(&readEnd, &writeEnd) == 0 else { return nil }
        return (readEnd, writeEnd)
    }

    package func splice(from source: Int32, to target: Int32, atMost limit: Int) -> Int {
        sluice_splice(source, target, limit)
    }

    package func shutdownWrite(_ descriptor: Int32) { _ = sluice_shutdown_write(descriptor) }
    package func close(_ descriptor: Int32) { _ = Glibc.close(descriptor) }
    package func reset(_ descriptor: Int32) { sluice_reset(descriptor) }
}
