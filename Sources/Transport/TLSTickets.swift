// The keys that session tickets are sealed with, and their rotation (RFC 5077 §5.5).

internal import COpenSSL
internal import Synchronization

/// The ticket keys that all loops, and all generations of certificates, share.
///
/// A ticket is opened as long as its key is kept: two to three hours.
package final class TLSTickets: Sendable {
    private struct Key {
        var name: [UInt8]
        var aes: [UInt8]
        var hmac: [UInt8]
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
        guard let kind = TLSTickets.cipher, var key = key(at: now),
            unsafe RAND_bytes(iv, 16) == 1
        else { return false }
        for index in 0..<16 { unsafe name[index] = key.name[index] }
        return unsafe sluice_ticket_keys(cipher, kind.pointer, mac, key.aes, &key.hmac, iv, 1) == 1
    }

    /// Sets up opening a ticket; nil when its key is gone, else whether a new one is due.
    func open(
        name: UnsafePointer<UInt8>,
        iv: UnsafePointer<UInt8>,
        _ cipher: OpaquePointer,
        _ mac: OpaquePointer,
        at now: Instant
    ) -> Bool? {
        guard let kind = TLSTickets.cipher, key(at: now) != nil else { return nil }
        let wanted = unsafe Array(UnsafeBufferPointer(start: name, count: 16))
        let keys = state.withLock { $0.keys }
        guard let index = keys.firstIndex(where: { $0.name == wanted }) else { return nil }
        var key = keys[index]
        let isDone =
            unsafe sluice_ticket_keys(cipher, kind.pointer, mac, key.aes, &key.hmac, iv, 0) == 1
        return isDone ? index > 0 : nil
    }

    /// The key of the hour; keys whose time is over are forgotten.
    private func key(at now: Instant) -> Key? {
        state.withLock { state in
            if let due = state.rotatesAt, now < due { return state.keys.first }
            guard let name = randomBytes(16), let aes = randomBytes(32), let hmac = randomBytes(32)
            else { return state.keys.first }
            // After a long quiet time the old keys are as old as that.
            if let due = state.rotatesAt, now > due + TLSTickets.period * 2 {
                state.keys.removeAll()
            }
            state.keys.insert(Key(name: name, aes: aes, hmac: hmac), at: 0)
            if state.keys.count > TLSTickets.keysMax { state.keys.removeLast() }
            state.rotatesAt = now + TLSTickets.period
            return state.keys.first
        }
    }
}

private func randomBytes(_ count: Int) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: count)
    return unsafe RAND_bytes(&bytes, Int32(count)) == 1 ? bytes : nil
}
