// A certificate with its chain and its key, read from PEM and checked before anybody uses it.

internal import COpenSSL
internal import Glibc

/// Where PEM comes from.
package enum PEMSource: Sendable, Hashable {
    /// A file, by its path.
    case file(String)
    /// What such a file would hold.
    case bytes([UInt8])

    /// Bytes of a PEM file at most: a thousand certificates.
    static let bytesMax = 4 << 20

    /// The source as messages name it.
    var name: String {
        switch self {
        case .file(let path): path
        case .bytes: "the given PEM"
        }
    }

    /// The PEM itself.
    ///
    /// - Throws: why the file cannot be read, by its name.
    func read() throws(TLSError) -> [UInt8] {
        guard case .file(let path) = self else {
            if case .bytes(let bytes) = self { return bytes }
            return []
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw TLSError(.unusable, "\(path): \(SystemError.text(for: errno))")
        }
        defer { _ = Glibc.close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count <= PEMSource.bytesMax {
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe Glibc.read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else {
                throw TLSError(.unusable, "\(path): \(SystemError.text(for: errno))")
            }
            if count == 0 { return bytes }
            bytes += piece.prefix(count)
        }
        throw TLSError(.unusable, "\(path): larger than \(PEMSource.bytesMax) bytes")
    }
}

/// The X.509 certificates of one PEM text, in its order.
///
/// `@unchecked Sendable`: nothing changes them after `init`, and OpenSSL counts their references
/// atomically.
@safe final class X509List: @unchecked Sendable {
    let certificates: [OpaquePointer]

    /// Reads at least one certificate.
    ///
    /// - Throws: what is wrong with the source, by its name.
    init(_ source: PEMSource) throws(TLSError) {
        let bytes = try source.read()
        var found: [OpaquePointer] = unsafe []
        TLSErrors.clear()
        unsafe bytes.withUnsafeBytes { raw in
            guard let bio = unsafe sluice_bio_of(raw.baseAddress, Int32(raw.count)) else { return }
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, nil, nil) {
                unsafe found.append(certificate)
            }
            unsafe BIO_free(bio)
        }
        unsafe certificates = found
        // Reading ends with the error that there is no further one.
        let end = ERR_peek_last_error()
        let isWhole = sluice_pem_has_ended(end) != 0
        TLSErrors.clear()
        if !isWhole {
            throw TLSError(.unusable, "\(source.name): \(TLSErrors.text(of: end))")
        }
        if unsafe found.isEmpty {
            throw TLSError(.unusable, "\(source.name): holds no certificate in PEM")
        }
    }

    deinit { for index in 0..<count { unsafe X509_free(certificates[index]) } }

    var count: Int { unsafe certificates.count }
}

/// A certificate, those that lead from it to its authority, and its private key.
///
/// `@unchecked Sendable`: nothing changes after `init`, and OpenSSL counts references atomically.
@safe package final class TLSCertificate: @unchecked Sendable {
    private let list: X509List
    private let key: OpaquePointer
    /// What messages and metrics call it: the path of the certificate's file, or a name of its own.
    package let name: String
    /// Lower-case DNS names it is good for, wildcards among them.
    package let names: [String]
    /// SHA-256 of the certificate without its chain.
    package let digest: [UInt8]
    /// OpenSSL's number for the kind of its key.
    var kind: Int32 { unsafe EVP_PKEY_get_base_id(key) }
    /// Seconds since 1970-01-01 UTC from which on it holds.
    package let notBefore: Int64
    /// Seconds since 1970-01-01 UTC until which it holds.
    package let notAfter: Int64

    /// Reads both and makes sure that they belong together; `name` is what it is called if not by
    /// its file.
    ///
    /// - Throws: which of them cannot be used, and why.
    package init(
        certificate: PEMSource,
        key keySource: PEMSource,
        passphrase: String? = nil,
        name: String? = nil
    ) throws(TLSError) {
        let list = try X509List(certificate)
        self.list = list
        self.name = name ?? certificate.name
        unsafe key = try TLSCertificate.readKey(keySource, passphrase)
        let own = unsafe list.certificates[0]
        unsafe names = TLSCertificate.names(of: own)
        unsafe digest = TLSCertificate.digest(of: own)
        unsafe notBefore = sluice_not_before(own)
        unsafe notAfter = sluice_not_after(own)
        TLSErrors.clear()
        guard unsafe X509_check_private_key(own, key) == 1 else {
            TLSErrors.clear()
            throw TLSError(
                .unusable,
                "\(keySource.name): is not the key of the certificate in \(certificate.name)"
            )
        }
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// Makes sure that it holds at a time, in seconds since 1970-01-01 UTC.
    ///
    /// - Throws: that it has expired, or does not hold yet.
    package func check(at now: Int64) throws(TLSError) {
        if now > notAfter {
            throw TLSError(.unusable, "\(name): expired \(days(now - notAfter)) ago")
        }
        if now < notBefore {
            throw TLSError(.unusable, "\(name): holds only in \(days(notBefore - now))")
        }
    }

    private func days(_ seconds: Int64) -> String {
        let days = seconds / 86_400
        return days == 0 ? "less than a day" : days == 1 ? "1 day" : "\(days) days"
    }

    /// Gives a context its own certificate, beside those with other kinds of keys that it has.
    func install(in context: OpaquePointer) throws(TLSError) {
        TLSErrors.clear()
        var isDone = unsafe SSL_CTX_use_certificate(context, list.certificates[0]) == 1
        isDone = unsafe isDone && SSL_CTX_use_PrivateKey(context, key) == 1
        for index in 1..<list.count {
            isDone = unsafe isDone && sluice_ssl_add_chain(context, list.certificates[index]) != 0
        }
        guard isDone else {
            throw TLSError(.unusable, "\(name): \(TLSErrors.takeText(otherwise: "unusable"))")
        }
    }

    private static func readKey(
        _ source: PEMSource,
        _ passphrase: String?
    ) throws(TLSError) -> OpaquePointer {
        let bytes = try source.read()
        var isSealed: Int32 = 0
        TLSErrors.clear()
        let key = unsafe bytes.withUnsafeBytes { raw in
            if let passphrase {
                return unsafe passphrase.withCString {
                    unsafe sluice_read_key(raw.baseAddress, Int32(raw.count), $0, &isSealed)
                }
            }
            return unsafe sluice_read_key(raw.baseAddress, Int32(raw.count), nil, &isSealed)
        }
        if let key = unsafe key { return unsafe key }
        let why = TLSErrors.takeText(otherwise: "no private key in PEM")
        if isSealed != 0 {
            let reason = passphrase == nil ? "needs a passphrase" : "the passphrase is wrong"
            throw TLSError(.unusable, "\(source.name): \(reason)")
        }
        let isMissing = why.contains("no start line") || why.contains("unsupported")
        throw TLSError(
            .unusable,
            "\(source.name): \(isMissing ? "holds no private key in PEM" : why)"
        )
    }

    static func digest(of certificate: OpaquePointer) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        _ = unsafe X509_digest(certificate, EVP_sha256(), &digest, &count)
        return Array(digest.prefix(Int(count)))
    }

    /// The DNS names, or the common name when there is none (RFC 6125 §6.4.4).
    private static func names(of certificate: OpaquePointer) -> [String] {
        var room = [CChar](repeating: 0, count: 64 * 1024)
        let used = unsafe sluice_certificate_names(certificate, &room, room.count)
        if used > 0 {
            return room.prefix(used).split(separator: 0).map { name in
                String(decoding: name.map(UInt8.init(bitPattern:)), as: UTF8.self).lowercased()
            }
        }
        let length = unsafe sluice_common_name(certificate, &room, Int32(room.count))
        guard length > 0 else { return [] }
        let bytes = room.prefix(length).map(UInt8.init(bitPattern:))
        return [String(decoding: bytes, as: UTF8.self).lowercased()]
    }
}
