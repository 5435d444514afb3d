// The server's side of TLS: certificates chosen by name, tickets, protocols, clients' certificates.

internal import COpenSSL
internal import Glibc

/// What a server asks of its clients' certificates.
package struct TLSClientAuth: Sendable {
    /// Whom a client's certificate must lead to.
    package var authorities: TLSAuthorities
    /// Whether a client without one is refused; one that shows a bad one always is.
    package var isRequired: Bool

    package init(authorities: TLSAuthorities, isRequired: Bool) {
        self.authorities = authorities
        self.isRequired = isRequired
    }
}

/// How the connections of one listener are secured; any loop may use it.
///
/// Immutable: a reload makes another one, and connections stay with theirs. `@unchecked Sendable`:
/// OpenSSL lets threads share contexts that nobody changes.
@safe package final class TLSServer: @unchecked Sendable {
    /// One for each group of `names`, the default's first.
    private let contexts: [OpaquePointer]
    private let names: TLSNames
    private let tickets: TLSTickets
    private let protocols: UnsafeMutableBufferPointer<UInt8>

    /// - Parameters:
    ///   - certificates: at least one; the first is for clients that ask for no name, or for none
    ///     of these. The first that is good for a name is used for it; of each kind of key one,
    ///     so that a client gets the one whose signatures it takes (RSA beside ECDSA).
    ///   - clients: nil: clients are not asked for certificates.
    ///   - protocols: what is spoken here (ALPN), the most wanted first.
    ///   - scope: sessions are resumed only by servers of the same scope.
    ///   - tickets: shared with other servers so that sessions outlive a reload.
    /// - Throws: which of them cannot be used, and why.
    package init(
        _ certificates: [TLSCertificate],
        clients: TLSClientAuth? = nil,
        protocols: [String] = ["http/1.1"],
        scope: String = "",
        tickets: TLSTickets
    ) throws(TLSError) {
        self.tickets = tickets
        let list = TLSContext.wireFormat(of: protocols)
        unsafe self.protocols = .allocate(capacity: list.count)
        _ = unsafe self.protocols.initialize(from: list)
        names = TLSNames(certificates.map { TLSNames.Entry(names: $0.names, kind: $0.kind) })
        var contexts: [OpaquePointer] = unsafe []
        var failure: TLSError?
        for group in names.groups where failure == nil {
            let shown = group.map { certificates[$0] }
            do throws(TLSError) {
                try unsafe contexts.append(TLSServer.makeContext(shown, clients, scope))
            } catch {
                failure = error
            }
        }
        unsafe self.contexts = contexts
        if let failure { throw failure }
        if certificates.isEmpty { throw TLSError(.unusable, "a server needs a certificate") }
    }

    deinit {
        for index in unsafe contexts.indices { unsafe SSL_CTX_free(contexts[index]) }
        unsafe protocols.deallocate()
    }

    func makeConnection() -> OpaquePointer? { unsafe SSL_new(contexts[0]) }

    private static func makeContext(
        _ certificates: [TLSCertificate],
        _ clients: TLSClientAuth?,
        _ scope: String
    ) throws(TLSError) -> OpaquePointer {
        let context = try unsafe TLSContext.make(TLS_server_method())
        do throws(TLSError) {
            for certificate in certificates { try unsafe certificate.install(in: context) }
            try unsafe ask(clients, scope, in: context)
        } catch {
            unsafe SSL_CTX_free(context)
            throw error
        }
        unsafe sluice_ssl_no_cache(context)
        _ = unsafe SSL_CTX_set_timeout(context, TLSTickets.lifetime)
        _ = unsafe SSL_CTX_set_num_tickets(context, 1)
        unsafe answerQuestions(in: context)
        return unsafe context
    }

    /// Sessions are bound to the scope and to what was asked of the client, so that one from before
    /// a change of that cannot be resumed.
    private static func ask(
        _ clients: TLSClientAuth?,
        _ scope: String,
        in context: OpaquePointer
    ) throws(TLSError) {
        var asked: [UInt8] = [0]
        if let clients {
            try unsafe clients.authorities.install(in: context, asksClients: true)
            let required = clients.isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
            unsafe SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nil)
            asked = [clients.isRequired ? 2 : 1]
            if case .only(let source) = clients.authorities { asked += try source.read() }
        }
        asked += Array(scope.utf8)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let isDone =
            unsafe EVP_Digest(asked, asked.count, &digest, &count, EVP_sha256(), nil) == 1
            && SSL_CTX_set_session_id_context(context, digest, count) == 1
        guard isDone else {
            throw TLSError(.unusable, TLSErrors.takeText(otherwise: "no session context"))
        }
    }

    // MARK: questions during a handshake

    private static func answerQuestions(in context: OpaquePointer) {
        unsafe sluice_ssl_on_server_name(
            context,
            { ssl, _, _ in
                guard let server = unsafe TLSServer.of(ssl), let ssl = unsafe ssl else {
                    return SSL_TLSEXT_ERR_NOACK
                }
                return unsafe server.choose(for: ssl)
            },
            nil
        )
        unsafe SSL_CTX_set_alpn_select_cb(
            context,
            { ssl, out, length, offered, count, _ in
                guard let server = unsafe TLSServer.of(ssl) else { return SSL_TLSEXT_ERR_NOACK }
                return unsafe server.agree(out, length, offered, count)
            },
            nil
        )
        _ = unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(context) {
            ssl,
            name,
            iv,
            cipher,
            mac,
            seals in
            guard let own = unsafe TLSBridge.session(ofConnection: ssl),
                case .server(let server) = own.role,
                let name = unsafe name, let iv = unsafe iv, let cipher = unsafe cipher,
                let mac = unsafe mac
            else { return 0 }
            let tickets = server.tickets
            if seals != 0 {
                return unsafe tickets.seal(name: name, iv: iv, cipher, mac, at: own.now) ? 1 : 0
            }
            switch unsafe tickets.open(name: name, iv: iv, cipher, mac, at: own.now) {
            case nil: return 0
            // In TLS 1.3 a ticket is for one use (RFC 8446 §C.4): the next one comes with it.
            case let isDue?: return unsafe isDue || SSL_version(ssl) == TLS1_3_VERSION ? 2 : 1
            }
        }
    }

    private static func of(_ ssl: OpaquePointer?) -> TLSServer? {
        guard let session = unsafe TLSBridge.session(ofConnection: ssl),
            case .server(let server) = session.role
        else { return nil }
        return server
    }

    /// The certificate for the name that the client asks for; the default when none is good for it.
    private func choose(for ssl: OpaquePointer) -> Int32 {
        guard let text = unsafe SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) else {
            return SSL_TLSEXT_ERR_OK
        }
        let index = names.place(of: unsafe String(cString: text).lowercased())
        if index > 0 { _ = unsafe SSL_set_SSL_CTX(ssl, contexts[index]) }
        return SSL_TLSEXT_ERR_OK
    }

    private func agree(
        _ out: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
        _ length: UnsafeMutablePointer<UInt8>?,
        _ offered: UnsafePointer<UInt8>?,
        _ count: UInt32
    ) -> Int32 {
        guard let out = unsafe out, let length = unsafe length else {
            return SSL_TLSEXT_ERR_NOACK
        }
        var chosen: UnsafeMutablePointer<UInt8>?
        let result = unsafe SSL_select_next_proto(
            &chosen,
            length,
            protocols.baseAddress,
            UInt32(protocols.count),
            offered,
            count
        )
        // RFC 7301 §3.2: a client that speaks none of these is told so.
        guard result == OPENSSL_NPN_NEGOTIATED else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe out.pointee = unsafe UnsafePointer(chosen)
        return SSL_TLSEXT_ERR_OK
    }
}
