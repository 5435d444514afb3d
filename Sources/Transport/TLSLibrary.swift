// Which OpenSSL speaks TLS here.

internal import COpenSSL

/// The library behind all TLS of this program.
package enum TLSLibrary {
    /// Its name, version and date, as it tells them itself: `OpenSSL 3.0.19 27 Jan 2026`.
    ///
    /// Release builds have it linked in, so the system's packages do not tell.
    package static var version: String {
        guard let text = unsafe OpenSSL_version(OPENSSL_VERSION) else { return "OpenSSL" }
        return unsafe String(cString: text)
    }
}
