// The TLS of one connection: OpenSSL's state, and the records on their way in and out.
//
//   kernel ──recv──▶ OpenSSL's record buffer ──decrypts──▶ the caller's slab
//   the caller's slab ──encrypts──▶ the loop's stage ──send──▶ kernel
//                                        └── what the kernel does not take is kept here
//
// OpenSSL asks for bytes by way of a BIO that calls back into this file, so all of it runs over the
// seam, and a simulated world can run TLS. Records are received straight into OpenSSL's buffer and
// decrypted there; those that go out are gathered, so that one send carries a batch of them.

internal import COpenSSL
internal import Glibc

/// One connection's TLS.
///
/// Confined to its loop. It knows the descriptor, but the socket closes it.
@safe final class TLSSession {
    /// How the peer's stream has ended.
    enum End: Equatable {
        /// With close_notify: nothing is missing.
        case clean
        case broken(SystemError)
    }

    let role: TLSRole
    private let ssl: OpaquePointer
    private let network: any Network
    private let descriptor: Int32
    private unowned let context: LoopContext
    private let stage: RecordStage

    // In
    /// The kernel has nothing more now; told otherwise by the poller.
    var isDrained: Bool
    /// The end is known to follow what the kernel has: it is to be read up to that.
    var peerClosed: Bool
    /// The kernel has given its last byte.
    private var sawEnd = false
    private var receiveError: Int32 = 0
    /// Whether the first byte that came may begin a method, and no handshake.
    private(set) var beganLikeHTTP = false
    private var isFirst = true
    private(set) var end: End?

    // Out
    /// Records that the kernel has not taken, or that wait for company.
    private var leftover: [UInt8] = []
    /// Bytes of the caller's that are in `leftover` and not yet told as sent.
    private var owed = 0
    private var isFinished = false
    private var saidGoodbye = false
    /// close_notify goes with the last bytes of the next write: one send and one packet less.
    var endsWithWrite = false
    private var pace = RecordPace()

    /// - Throws: when there is no memory for it.
    init(
        _ role: TLSRole,
        of descriptor: Int32,
        isDrained: Bool,
        peerClosed: Bool,
        on context: LoopContext
    ) throws(TLSError) {
        self.role = role
        self.isDrained = isDrained
        self.peerClosed = peerClosed
        self.descriptor = descriptor
        self.context = context
        network = context.network
        stage = context.records
        TLSErrors.clear()
        guard let ssl = unsafe role.makeConnection(), let bio = unsafe TLSBridge.makeBIO() else {
            throw TLSError(.unusable, TLSErrors.takeText(otherwise: "no memory"))
        }
        unsafe self.ssl = ssl
        unsafe TLSBridge.connect(ssl, bio, to: self)
        try unsafe role.prepare(ssl, at: context.now)
    }

    deinit {
        // A connection that was cut says nothing about its session.
        if isFinished { unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN) }
        unsafe SSL_free(ssl)
    }

    // MARK: handshake

    /// Goes on with the handshake as far as it can; true once it is complete.
    ///
    /// - Throws: why it failed; what the peer is to know of it has been sent.
    func handshake(isReadable: inout Bool, isWritable: inout Bool) throws(TLSError) -> Bool {
        TLSErrors.clear()
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isFinished = true
            // What follows may stand in OpenSSL's buffer already.
            let hasMore = unsafe SSL_has_pending(ssl) == 1
            // The client's last flight leaves with its request, the server's tickets with the first
            // answer: one send and one packet less. But a client whose request has not come may be
            // waiting for a sign that its last flight has arrived (Nagle's algorithm).
            let isLast = unsafe role.isClient || (hasMore && SSL_version(ssl) == TLS1_3_VERSION)
            if isLast { keepStage() } else { flush(&isWritable) }
            isReadable = !isDrained || hasMore
            return true
        }
        let error = unsafe SSL_get_error(ssl, result)
        if error == SSL_ERROR_WANT_READ {
            flush(&isWritable)
            isReadable = false
            return false
        }
        let failure = unsafe TLSErrors.failure(verifying: SSL_get_verify_result(ssl))
        // The alert that tells the peer why.
        flush(&isWritable)
        end = .broken(SystemError(code: EPROTO, call: "TLS handshake"))
        throw beganLikeHTTP ? TLSError(.plainHTTP, "the peer speaks plain HTTP") : failure
    }

    /// The loop's time, for what is decided during a handshake.
    var now: Instant { context.now }

    /// Whether the handshake was an abbreviated one.
    var isResumed: Bool { unsafe SSL_session_reused(ssl) == 1 }

    /// The protocol agreed on (ALPN); empty when there is none.
    var agreedProtocol: String {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &name, &length)
        guard let start = unsafe name else { return "" }
        let bytes = unsafe UnsafeBufferPointer(start: start, count: Int(length))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// The certificate that the peer has proved to have; nil when it showed none.
    var peer: TLSPeer? {
        guard isFinished, let certificate = unsafe SSL_get0_peer_certificate(ssl) else {
            return nil
        }
        return unsafe TLSPeer(certificate, isVerified: SSL_get_verify_result(ssl) == 0)
    }

    // MARK: in

    /// Decrypts into `memory` what has arrived; the count, or nil when nothing is there.
    ///
    /// Once everything was given, `end` tells how the stream has ended.
    func read(
        into memory: UnsafeMutableRawBufferPointer,
        isReadable: inout Bool,
        isWritable: inout Bool
    ) -> Int? {
        guard end == nil, let base = memory.baseAddress else { return nil }
        TLSErrors.clear()
        var total = 0
        while total < memory.count {
            var count = 0
            let result = unsafe SSL_read_ex(ssl, base + total, memory.count - total, &count)
            if result == 1 {
                total += count
                if isDrained, unsafe SSL_has_pending(ssl) == 0 {
                    isReadable = false
                    break
                }
                continue
            }
            let error = unsafe SSL_get_error(ssl, result)
            if error != SSL_ERROR_WANT_READ {
                noteEnd(error)
            } else if isDrained {
                isReadable = false
            } else {
                // A record without data came, and nobody has asked the kernel since.
                continue
            }
            break
        }
        // Answers to what the peer asked for by the way, and alerts.
        if stage.count > 0 { flush(&isWritable) }
        if total == 0, !isReadable, role.isClient, !leftover.isEmpty { flush(&isWritable) }
        return total > 0 ? total : nil
    }

    /// Takes in what is no data, tickets for instance; whether data, or an end, is there.
    func hasData(isWritable: inout Bool) -> Bool {
        guard end == nil else { return true }
        TLSErrors.clear()
        var isQuiet = false
        repeat {
            var byte: UInt8 = 0
            var count = 0
            let result = unsafe SSL_peek_ex(ssl, &byte, 1, &count)
            isQuiet = unsafe result != 1 && SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ
        } while isQuiet && !isDrained
        if stage.count > 0 { flush(&isWritable) }
        return !isQuiet
    }

    private func noteEnd(_ error: Int32) {
        if error == SSL_ERROR_ZERO_RETURN {
            end = .clean
        } else if receiveError != 0 {
            end = .broken(SystemError(code: receiveError, call: "recv"))
        } else if sawEnd {
            // Closed without close_notify: whoever cut it, the peer has not ended its stream.
            end = .broken(SystemError(code: ECONNABORTED, call: "TLS"))
        } else {
            end = .broken(SystemError(code: EPROTO, call: "TLS"))
        }
        TLSErrors.clear()
    }

    /// OpenSSL wants bytes: as many as are there, or -1 when none are.
    func take(into memory: UnsafeMutableRawBufferPointer) -> Int {
        if sawEnd { return 0 }
        while !isDrained {
            let count = unsafe network.receive(descriptor, into: memory)
            if count > 0 {
                if isFirst { unsafe noteFirst(memory[0]) }
                // Less than asked for: drained, unless the end is known to follow.
                if count < memory.count && !peerClosed { isDrained = true }
                return count
            }
            switch Int32(-count) {
            case 0:
                sawEnd = true
                return 0
            case EINTR: continue
            case EAGAIN: isDrained = true
            default:
                receiveError = Int32(-count)
                sawEnd = true
                return 0
            }
        }
        return -1
    }

    private func noteFirst(_ byte: UInt8) {
        isFirst = false
        // A method begins with a letter, a record of the handshake with 22.
        beganLikeHTTP = !role.isClient && (0x41...0x5a).contains(byte & 0xdf)
    }

    /// OpenSSL gives bytes that are to be sent.
    func put(_ bytes: UnsafeRawBufferPointer) { unsafe stage.append(bytes) }

    // MARK: out

    /// Bytes that are encrypted at once: four full records.
    private static let batchBytes = 64 * 1024

    /// Whether records are still to be sent.
    var hasLeftover: Bool { !leftover.isEmpty }
    /// Whether they wait for the kernel to have room.
    private(set) var isBlocked = false

    /// Encrypts and sends; how many of the caller's bytes are in the kernel's hands.
    ///
    /// Bytes that were encrypted and not yet taken are told as sent later: the caller must come
    /// with the same bytes again, or give the connection up.
    /// - Throws: when the connection broke.
    func write(
        _ bytes: UnsafeRawBufferPointer,
        isWritable: inout Bool
    ) throws(SystemError) -> Int {
        if let end, case .broken(let error) = end { throw error }
        var told = 0
        if owed > 0 {
            try send(&isWritable)
            if !isWritable { return 0 }
            guard owed <= bytes.count else { throw SystemError(code: EPROTO, call: "TLS") }
            told = owed
            owed = 0
            if told == bytes.count { return told }
        }
        if saidGoodbye { throw SystemError(code: EPIPE, call: "TLS") }
        TLSErrors.clear()
        let batch = min(bytes.count - told, TLSSession.batchBytes)
        if batch > 0 { stageLeftover() }
        var done = 0
        while done < batch {
            let size = pace.next(batch - done, at: context.now)
            var count = 0
            let start = unsafe bytes.baseAddress.map { unsafe $0 + told + done }
            guard unsafe SSL_write_ex(ssl, start, size, &count) == 1 else {
                TLSErrors.clear()
                let error = SystemError(code: EPROTO, call: "TLS")
                end = .broken(error)
                throw error
            }
            done += count
        }
        owed = done
        if endsWithWrite, told + done == bytes.count { stageGoodbye() }
        try send(&isWritable)
        if leftover.isEmpty {
            told += owed
            owed = 0
        }
        return told
    }

    /// Sends what is staged and left over, as far as the kernel takes it.
    func flush(_ isWritable: inout Bool) {
        do throws(SystemError) {
            try send(&isWritable)
        } catch {
            end = end ?? .broken(error)
        }
    }

    private func stageLeftover() {
        guard !leftover.isEmpty else { return }
        unsafe leftover.withUnsafeBytes { unsafe stage.append($0) }
        leftover.removeAll(keepingCapacity: false)
    }

    private func keepStage() {
        unsafe leftover.append(contentsOf: stage.bytes)
        stage.clear()
    }

    private func send(_ isWritable: inout Bool) throws(SystemError) {
        if !leftover.isEmpty {
            // In their order.
            if stage.count > 0 { keepStage() }
            stageLeftover()
        }
        defer { stage.clear() }
        isBlocked = false
        var sent = 0
        while sent < stage.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: stage.bytes[sent...])
            let count = unsafe network.send(descriptor, from: rest)
            if count >= 0 { sent += count }
            if count == -Int(EINTR) { continue }
            guard count >= 0 || count == -Int(EAGAIN) else {
                throw SystemError(code: Int32(-count), call: "send")
            }
            if sent < stage.count {
                unsafe leftover.append(contentsOf: stage.bytes[sent...])
                isBlocked = true
                isWritable = false
                return
            }
        }
    }

    /// Tells the peer that no more follows (close_notify), if that can still be said.
    func sayGoodbye(_ isWritable: inout Bool) {
        guard isFinished, owed == 0 else { return }
        if let end, case .broken = end { return }
        if !saidGoodbye { stageGoodbye() }
        flush(&isWritable)
    }

    private func stageGoodbye() {
        saidGoodbye = true
        TLSErrors.clear()
        _ = unsafe SSL_shutdown(ssl)
        TLSErrors.clear()
    }
}
