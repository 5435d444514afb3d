// What OpenSSL calls back for: bytes in, bytes out, and nothing else.

internal import COpenSSL

/// The way from OpenSSL back to the session whose connection it works on.
enum TLSBridge {
    /// The kind of BIO that ends in a `TLSSession`; made once and never freed.
    private static let method: SendablePointer? = {
        let kind = BIO_get_new_index() | BIO_TYPE_SOURCE_SINK
        guard let method = unsafe BIO_meth_new(kind, "sluice") else { return nil }
        _ = unsafe BIO_meth_set_read(method) { bio, memory, count in
            guard let memory = unsafe memory, let bio = unsafe bio else { return -1 }
            let room = unsafe UnsafeMutableRawBufferPointer(start: memory, count: Int(count))
            let taken = unsafe session(of: bio)._withUnsafeGuaranteedRef { session in
                unsafe session.take(into: room)
            }
            unsafe sluice_bio_no_retry(bio)
            if taken < 0 { unsafe sluice_bio_retry_read(bio) }
            return Int32(taken)
        }
        _ = unsafe BIO_meth_set_write(method) { bio, memory, count in
            guard let memory = unsafe memory, let bio = unsafe bio else { return -1 }
            let bytes = unsafe UnsafeRawBufferPointer(start: memory, count: Int(count))
            unsafe session(of: bio)._withUnsafeGuaranteedRef { unsafe $0.put(bytes) }
            return count
        }
        _ = unsafe BIO_meth_set_ctrl(method, sluice_bio_ctrl)
        return unsafe SendablePointer(method)
    }()

    /// `@unchecked Sendable`: a method table that nobody changes any more.
    @safe private struct SendablePointer: @unchecked Sendable {
        let pointer: OpaquePointer
        init(_ pointer: OpaquePointer) { unsafe self.pointer = unsafe pointer }
    }

    static func makeBIO() -> OpaquePointer? {
        guard let method = TLSBridge.method, let bio = unsafe BIO_new(method.pointer) else {
            return nil
        }
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }

    /// Unretained: the session owns the connection, and the connection the BIO.
    static func connect(_ ssl: OpaquePointer, _ bio: OpaquePointer, to session: TLSSession) {
        let pointer = unsafe Unmanaged.passUnretained(session).toOpaque()
        unsafe BIO_set_data(bio, pointer)
        unsafe SSL_set_bio(ssl, bio, bio)
        _ = unsafe SSL_set_ex_data(ssl, 0, pointer)
    }

    private static func session(of bio: OpaquePointer) -> Unmanaged<TLSSession> {
        guard let data = unsafe BIO_get_data(bio) else {
            preconditionFailure("a BIO without its session")
        }
        return unsafe Unmanaged.fromOpaque(data)
    }

    /// Whose connection it is.
    static func session(ofConnection ssl: OpaquePointer?) -> TLSSession? {
        guard let ssl = unsafe ssl, let data = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(data).takeUnretainedValue()
    }
}
