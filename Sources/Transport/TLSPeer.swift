// Who a peer has proved to be by its certificate.

internal import COpenSSL

/// What a peer's certificate says.
package struct TLSPeer: Sendable, Equatable {
    /// The subject as RFC 2253 writes it, visible ASCII; empty when it is too long to be passed on.
    package let subject: String
    /// The subject's common name; nil when it has none.
    package let commonName: String?
    /// SHA-256 of the certificate, in lower-case hexadecimal.
    package let fingerprint: String
    /// Whether it leads to an authority that is trusted.
    package let isVerified: Bool

    /// Subjects are passed on up to this length.
    private static let subjectBytesMax = 1024

    init(_ certificate: OpaquePointer, isVerified: Bool) {
        self.isVerified = isVerified
        var room = [CChar](repeating: 0, count: TLSPeer.subjectBytesMax)
        let length = unsafe sluice_subject(certificate, &room, room.count)
        subject = TLSPeer.text(room, length) ?? ""
        let name = unsafe sluice_common_name(certificate, &room, Int32(room.count))
        commonName = TLSPeer.text(room, name)
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        for byte in unsafe TLSCertificate.digest(of: certificate) {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        fingerprint = String(decoding: hex, as: UTF8.self)
    }

    private static func text(_ bytes: [CChar], _ length: Int) -> String? {
        guard length > 0 else { return nil }
        return String(decoding: bytes.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
