// Whom to believe: the authorities whose signatures make a peer's certificate good.

internal import COpenSSL

/// The authorities that a peer's certificate must lead to.
package enum TLSAuthorities: Sendable {
    /// Those that the system trusts.
    case system
    /// Those of a PEM source, and no others.
    case only(PEMSource)

    /// Gives a context its authorities; asks clients for certificates of them if it is a server's.
    ///
    /// - Throws: what is wrong with the source, by its name.
    func install(in context: OpaquePointer, asksClients: Bool) throws(TLSError) {
        TLSErrors.clear()
        guard case .only(let source) = self else {
            guard unsafe SSL_CTX_set_default_verify_paths(context) == 1 else {
                throw TLSError(.unusable, "the system's authorities cannot be read")
            }
            return
        }
        let list = try X509List(source)
        guard let store = unsafe SSL_CTX_get_cert_store(context) else {
            throw TLSError(.unusable, "no memory for \(source.name)")
        }
        for index in 0..<list.count {
            let authority = unsafe list.certificates[index]
            var isDone = unsafe X509_STORE_add_cert(store, authority) == 1
            if asksClients {
                isDone = unsafe isDone && sluice_ssl_ask_for(context, authority) != 0
            }
            guard isDone else {
                throw TLSError(
                    .unusable,
                    "\(source.name): \(TLSErrors.takeText(otherwise: "unusable"))"
                )
            }
        }
    }
}
