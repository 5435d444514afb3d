// Certificates of our own making, for those who cannot or need not look at them.

internal import COpenSSL

extension TLSCertificate {
    /// Days that a certificate of our own holds.
    private static let ownDays = 3650

    /// A new certificate for `names`, DNS names, signed by its own new key.
    ///
    /// Nobody who looks at it believes it. It is called `name`, for ten years.
    /// - Throws: when there is no memory or no chance for it.
    package static func selfSigned(
        name: String,
        names: [String]
    ) throws(TLSError) -> TLSCertificate {
        TLSErrors.clear()
        guard let key = unsafe sluice_make_key(), let certificate = unsafe X509_new() else {
            throw failure()
        }
        defer {
            unsafe EVP_PKEY_free(key)
            unsafe X509_free(certificate)
        }
        var serial: UInt64 = 0
        let hasSerial = unsafe withUnsafeMutableBytes(of: &serial) { bytes in
            unsafe RAND_bytes(bytes.baseAddress, Int32(bytes.count)) == 1
        }
        let number = unsafe X509_get_serialNumber(certificate)
        guard hasSerial, unsafe X509_set_version(certificate, 2) == 1,
            unsafe ASN1_INTEGER_set_uint64(number, serial >> 1) == 1,
            unsafe sluice_set_times(certificate, -3600, ownDays * 86_400) == 1,
            unsafe X509_set_pubkey(certificate, key) == 1,
            unsafe setNames(of: certificate, names),
            unsafe X509_sign(certificate, key, EVP_sha256()) > 0
        else { throw failure() }
        let pem = try unsafe text { bio in unsafe PEM_write_bio_X509(bio, certificate) }
        let keyText = try unsafe text { bio in
            unsafe PEM_write_bio_PrivateKey(bio, key, nil, nil, 0, nil, nil)
        }
        return try TLSCertificate(certificate: .bytes(pem), key: .bytes(keyText), name: name)
    }

    /// Writes subject, issuer and alternative names.
    private static func setNames(of certificate: OpaquePointer, _ names: [String]) -> Bool {
        guard let first = names.first, let subject = unsafe X509_get_subject_name(certificate)
        else { return false }
        let common = Array(first.utf8.prefix(64))
        let alternatives = names.map { "DNS:\($0)" }.joined(separator: ",")
        return unsafe X509_NAME_add_entry_by_txt(
            subject,
            "CN",
            Int32(0x1000 | 1),  // MBSTRING_UTF8, a macro
            common,
            Int32(common.count),
            -1,
            0
        ) == 1
            && X509_set_issuer_name(certificate, subject) == 1
            && sluice_add_extension(certificate, NID_subject_alt_name, alternatives) == 1
            && sluice_add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE") == 1
    }

    /// What is written as PEM.
    private static func text(
        _ write: (OpaquePointer) -> Int32
    ) throws(TLSError) -> [UInt8] {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { throw failure() }
        defer { unsafe BIO_free(bio) }
        var memory: UnsafeMutablePointer<CChar>?
        guard unsafe write(bio) == 1 else { throw failure() }
        let count = unsafe sluice_bio_bytes(bio, &memory)
        guard let memory = unsafe memory, count > 0 else { throw failure() }
        return unsafe UnsafeBufferPointer(start: memory, count: count)
            .map { UInt8(bitPattern: $0) }
    }

    private static func failure() -> TLSError {
        TLSError(
            .unusable,
            "cannot make a certificate: \(TLSErrors.takeText(otherwise: "unknown"))"
        )
    }
}
