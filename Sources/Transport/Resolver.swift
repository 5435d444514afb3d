// Host names to addresses, without ever blocking a loop.

internal import CLinux
internal import Glibc

/// What a name resolved to.
package enum Resolution: Sendable, Equatable {
    /// Every A and AAAA record, sorted, without repetition.
    case addresses([Address])
    /// The name has no address.
    case notFound
    /// Nobody could say.
    case failed(String)
}

/// Resolves a name with a port and calls back once, on any thread.
package typealias Resolver =
    @Sendable (
        _ name: String, _ port: UInt16, _ done: @escaping @Sendable (Resolution) -> Void
    ) -> Void

/// The C library's resolver, each question on a thread of its own.
package let systemResolver: Resolver = { name, port, done in
    if let address = Address(name, port: port) {
        done(.addresses([address]))
        return
    }
    // The machine may have no thread left: the last known addresses stay.
    let result = Thread.tryStart(name: "resolve") { done(resolveBlocking(name, port)) }
    if result != 0 { done(.failed("no thread: \(SystemError.text(for: result))")) }
}

private func resolveBlocking(_ name: String, _ port: UInt16) -> Resolution {
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let result = unsafe getaddrinfo(name, nil, &hints, &list)
    defer { unsafe freeaddrinfo(list) }
    switch result {
    case 0:
        break
    // EAI_NODATA, which glibc shows only to GNU sources, is -5.
    case EAI_NONAME, -5:
        return .notFound
    default:
        return .failed(unsafe gai_strerror(result).map { unsafe String(cString: $0) } ?? "unknown")
    }
    var found = Set<Address>()
    var next = unsafe list
    while let entry = unsafe next {
        if let socketAddress = unsafe entry.pointee.ai_addr {
            var storage = sockaddr_storage()
            let length = unsafe min(
                Int(entry.pointee.ai_addrlen),
                MemoryLayout<sockaddr_storage>.size
            )
            unsafe withUnsafeMutableBytes(of: &storage) {
                unsafe $0.copyMemory(
                    from: UnsafeRawBufferPointer(start: socketAddress, count: length)
                )
            }
            if let address = Address(storage) {
                found.insert(Address(bytes: address.bytes, port: port))
            }
        }
        unsafe next = entry.pointee.ai_next
    }
    if found.isEmpty { return .notFound }
    return .addresses(found.sorted { $0.description < $1.description })
}
