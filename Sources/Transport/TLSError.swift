// Why TLS did not come about, in words for logs and for those who set it up.

internal import COpenSSL

/// Why a handshake failed or a certificate, key or set of authorities cannot be used.
package struct TLSError: Error, Equatable, CustomStringConvertible {
    /// What kind of failure it was; a closed list.
    package enum Kind: Equatable, Sendable {
        /// A file, or what is in it, cannot be used.
        case unusable
        /// The peer closed or broke the connection.
        case closed
        /// The peer speaks plain HTTP.
        case plainHTTP
        /// The peer's certificate is missing, or is not one that is trusted.
        case untrusted
        /// The peer refused, by an alert of its own.
        case refused
        /// The bytes are no TLS, or versions, ciphers or protocols have nothing in common.
        case `protocol`
    }

    /// What kind of failure it was.
    package let kind: Kind
    /// Says what was wrong; holds no secret.
    package let reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    package var description: String { reason }
}

/// The queue of errors that OpenSSL keeps for each thread.
enum TLSErrors {
    /// Forgets what is in it: before each call, so that what is found after it is its own.
    ///
    /// Mostly there is nothing; looking costs a sixth of what OpenSSL's clearing does.
    static func clear() { if ERR_peek_error() != 0 { ERR_clear_error() } }

    /// The first error, and forgets all of them; nil when there is none.
    static func take() -> (code: UInt, text: String)? {
        let code = ERR_get_error()
        clear()
        guard code != 0 else { return nil }
        return (code, text(of: code))
    }

    /// OpenSSL's words for an error.
    static func text(of code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }

    /// The first error's words; `otherwise` when there is none.
    static func takeText(otherwise: String) -> String { take()?.text ?? otherwise }

    /// What a failed handshake with the peer means.
    static func failure(verifying result: Int) -> TLSError {
        guard let (code, text) = take() else { return TLSError(.closed, "the peer has closed") }
        guard sluice_error_is_ssl(code) != 0 else { return TLSError(.protocol, text) }
        switch sluice_error_reason(code) {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            let why = unsafe String(cString: X509_verify_cert_error_string(result))
            return TLSError(.untrusted, "the peer's certificate: \(why)")
        case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
            return TLSError(.untrusted, "the peer sent no certificate")
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return TLSError(.closed, "the peer closed during the handshake")
        case SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST:
            return TLSError(.plainHTTP, "the peer speaks plain HTTP")
        case let reason where reason > SSL_AD_REASON_OFFSET:
            return TLSError(.refused, "the peer refused: \(text)")
        default:
            return TLSError(.protocol, text)
        }
    }
}
