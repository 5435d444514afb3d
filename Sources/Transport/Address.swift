// A numeric internet address with a port, as the kernel takes it.

internal import CLinux
internal import Glibc

/// An IPv4 or IPv6 address and a TCP port.
package struct Address: Hashable, Sendable, CustomStringConvertible {
    /// 4 bytes (IPv4) or 16 (IPv6), network order.
    package let bytes: [UInt8]
    /// The TCP port; 0 asks the kernel for a free one when listening.
    package let port: UInt16

    package init(bytes: [UInt8], port: UInt16) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
        self.bytes = bytes
        self.port = port
    }

    /// Reads `"10.0.0.1:80"` or `"[::1]:80"`; nil for anything else, host names included.
    package init?(_ text: String) {
        guard let (host, port) = Address.split(text), let address = Address(host, port: port) else {
            return nil
        }
        self = address
    }

    /// Reads a numeric host without a port.
    package init?(_ host: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if unsafe inet_pton(AF_INET, host, &four) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: four) { unsafe Array($0) }, port: port)
        } else if unsafe inet_pton(AF_INET6, host, &six) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: six) { unsafe Array($0) }, port: port)
        } else {
            return nil
        }
    }

    /// Splits `"host:port"` or `"[v6]:port"`.
    package static func split(_ text: String) -> (host: String, port: UInt16)? {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        return (String(host), port)
    }

    /// Whether only this machine can reach it (127.0.0.0/8, ::1).
    package var isLoopback: Bool {
        if bytes.count == 4 { return bytes[0] == 127 }
        return bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1
    }

    /// The address without its port, as bytes of text.
    package var hostBytes: [UInt8] {
        guard bytes.count == 4 else { return Array(host.utf8) }
        // Every connection has one written down: `inet_ntop` takes ten times as long.
        var text: [UInt8] = []
        text.reserveCapacity(15)
        for (index, byte) in bytes.enumerated() {
            if index > 0 { text.append(0x2e) }
            if byte >= 100 { text.append(0x30 + byte / 100) }
            if byte >= 10 { text.append(0x30 + byte / 10 % 10) }
            text.append(0x30 + byte % 10)
        }
        return text
    }

    /// The address without its port.
    package var host: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        let size = socklen_t(text.count)
        unsafe bytes.withUnsafeBytes { raw in
            _ = unsafe inet_ntop(family, raw.baseAddress, &text, size)
        }
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    package var description: String {
        bytes.count == 4 ? "\(host):\(port)" : "[\(host)]:\(port)"
    }

    /// The kernel's form.
    var storage: (sockaddr_storage, socklen_t) {
        var storage = sockaddr_storage()
        return unsafe withUnsafeMutableBytes(of: &storage) { raw in
            if bytes.count == 4 {
                var address = sockaddr_in()
                address.sin_family = sa_family_t(AF_INET)
                address.sin_port = port.bigEndian
                unsafe withUnsafeMutableBytes(of: &address.sin_addr) {
                    unsafe $0.copyBytes(from: bytes)
                }
                unsafe raw.storeBytes(of: address, as: sockaddr_in.self)
                return (
                    unsafe raw.loadUnaligned(as: sockaddr_storage.self),
                    socklen_t(MemoryLayout<sockaddr_in>.size)
                )
            }
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
                unsafe $0.copyBytes(from: bytes)
            }
            unsafe raw.storeBytes(of: address, as: sockaddr_in6.self)
            return (
                unsafe raw.loadUnaligned(as: sockaddr_storage.self),
                socklen_t(MemoryLayout<sockaddr_in6>.size)
            )
        }
    }

    /// Reads the kernel's form; nil for families other than IPv4 and IPv6.
    init?(_ storage: sockaddr_storage) {
        let result: Address? = unsafe withUnsafeBytes(of: storage) { raw in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let address = unsafe raw.loadUnaligned(as: sockaddr_in.self)
                return Address(
                    bytes: unsafe withUnsafeBytes(of: address.sin_addr) { unsafe Array($0) },
                    port: UInt16(bigEndian: address.sin_port)
                )
            case AF_INET6:
                let address = unsafe raw.loadUnaligned(as: sockaddr_in6.self)
                return Address(
                    bytes: unsafe withUnsafeBytes(of: address.sin6_addr) { unsafe Array($0) },
                    port: UInt16(bigEndian: address.sin6_port)
                )
            default:
                return nil
            }
        }
        guard let result else { return nil }
        self = result
    }
}
