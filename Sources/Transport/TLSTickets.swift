// The keys that session tickets are sealed with, and their rotation (RFC 5077 §5.5).

internal import COpenSSL
internal import Synchronization

/// The ticket keys that all loops, and all generations of certificates, share.
///
/// A ticket is opened as long as its key is kept: two to three hours.
package final class TLSTickets: Sendable {
    /// In place, so that a copy of it counts no references.
    private struct Key {
        var name = InlineArray<16, UInt8>(repeating: 0)
        var aes = InlineArray<32, UInt8>(repeating: 0)
        var hmac = InlineArray<32, UInt8>(repeating: 0)

        /// nil when there is no chance to be had from the system.
        init?() {
            guard name.randomise(), aes.randomise(), hmac.randomise() else { return nil }
        }

        /// Whether a ticket that bears `wanted` was sealed with it.
        func isNamed(_ wanted: UnsafePointer<UInt8>) -> Bool {
            for index in name.indices where unsafe name[index] != wanted[index] { return false }
            return true
        }

        /// Sets up sealing or opening with it.
        func install(
            _ cipher: OpaquePointer,
            _ kind: OpaquePointer,
            _ mac: OpaquePointer,
            iv: UnsafePointer<UInt8>,
            seals: Bool
        ) -> Bool {
            var hmac = hmac
            return unsafe aes.span.withUnsafeBufferPointer { aes in
                var span = hmac.mutableSpan
                return unsafe span.withUnsafeMutableBufferPointer { hmac in
                    unsafe sluice_ticket_keys(
                        cipher,
                        kind,
                        mac,
                        aes.baseAddress,
                        hmac.baseAddress,
                        iv,
                        seals ? 1 : 0
                    ) == 1
                }
            }
        }
    }

    private struct State {
        /// The newest first.
        var keys: [Key] = []
        var rotatesAt: Instant?
    }

    private let state = Mutex(State())
    /// The cipher; made once and never freed.
    private static let cipher: SendablePointer? = {
        let found = unsafe sluice_ticket_cipher()
        return unsafe found.map { unsafe SendablePointer($0) }
    }()

    /// `@unchecked Sendable`: a method table that nobody changes.
    @safe private struct SendablePointer: @unchecked Sendable {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }
    }

    /// How long new tickets are sealed with one key.
    private static let period = Duration.seconds(3600)
    private static let keysMax = 3
    /// Seconds that a session may be resumed.
    static let lifetime = 7200

    package init() {}

    /// Sets up sealing a ticket; false when there is no chance to be had from the system.
    func seal(
        name: UnsafeMutablePointer<UInt8>,
        iv: UnsafeMutablePointer<UInt8>,
        _ cipher: OpaquePointer,
        _ mac: OpaquePointer,
        at now: Instant
    ) -> Bool {
        guard let kind = TLSTickets.cipher, let key = newest(at: now),
            unsafe RAND_bytes(iv, 16) == 1
        else { return false }
        for index in key.name.indices { unsafe name[index] = key.name[index] }
        return unsafe key.install(cipher, kind.pointer, mac, iv: iv, seals: true)
    }

    /// Sets up opening a ticket; nil when its key is gone, else whether a new one is due.
    func open(
        name: UnsafePointer<UInt8>,
        iv: UnsafePointer<UInt8>,
        _ cipher: OpaquePointer,
        _ mac: OpaquePointer,
        at now: Instant
    ) -> Bool? {
        let (key, isOld) = state.withLock { state in
            TLSTickets.rotate(&state, at: now)
            let index = state.keys.firstIndex { unsafe $0.isNamed(name) }
            return (index.map { state.keys[$0] }, index != 0)
        }
        guard let kind = TLSTickets.cipher, let key,
            unsafe key.install(cipher, kind.pointer, mac, iv: iv, seals: false)
        else { return nil }
        return isOld
    }

    /// The key of the hour.
    private func newest(at now: Instant) -> Key? {
        state.withLock { state in
            TLSTickets.rotate(&state, at: now)
            return state.keys.first
        }
    }

    /// Makes the key of the hour; those whose time is over are forgotten.
    private static func rotate(_ state: inout State, at now: Instant) {
        if let due = state.rotatesAt, now < due { return }
        guard let key = Key() else { return }
        // After a long quiet time the old keys are as old as that.
        if let due = state.rotatesAt, now > due + period * 2 { state.keys.removeAll() }
        state.keys.insert(key, at: 0)
        if state.keys.count > keysMax { state.keys.removeLast() }
        state.rotatesAt = now + period
    }
}

extension InlineArray where Element == UInt8 {
    /// Fills it with random bytes; false when there are none to be had.
    fileprivate mutating func randomise() -> Bool {
        var span = mutableSpan
        return unsafe span.withUnsafeMutableBufferPointer { bytes in
            unsafe RAND_bytes(bytes.baseAddress, Int32(bytes.count)) == 1
        }
    }
}
