// The client's side of TLS: whom it trusts, who it is, and the sessions it can resume.

internal import COpenSSL
internal import Synchronization

/// How connections to one kind of server are secured; any loop may use it.
///
/// `@unchecked Sendable`: the context is set up once, and OpenSSL lets threads share it from then
/// on; the sessions stand behind a lock.
@safe package final class TLSClient: @unchecked Sendable {
    private let context: OpaquePointer
    private let verifies: Bool
    private let sessions = Mutex<[String: Held]>([:])
    /// Servers whose last session is kept.
    private static let sessionsMax = 4096

    /// One session that can be resumed.
    ///
    /// `@unchecked Sendable`: immutable; OpenSSL counts its references atomically.
    @safe private final class Held: @unchecked Sendable {
        let session: OpaquePointer
        init(_ session: OpaquePointer) { unsafe self.session = unsafe session }
        deinit { unsafe SSL_SESSION_free(session) }
    }

    /// - Parameters:
    ///   - authorities: whom the server's certificate must lead to; nil: it is not looked at, and
    ///     whoever answers is believed.
    ///   - certificate: shown to servers that ask for one.
    ///   - protocols: offered to the server (ALPN), the most wanted first.
    /// - Throws: which of them cannot be used, and why.
    package init(
        authorities: TLSAuthorities?,
        certificate: TLSCertificate? = nil,
        protocols: [String] = ["http/1.1"]
    ) throws(TLSError) {
        TLSErrors.clear()
        unsafe context = try TLSContext.make(TLS_client_method())
        verifies = authorities != nil
        try unsafe authorities?.install(in: context, asksClients: false)
        try unsafe certificate?.install(in: context)
        unsafe SSL_CTX_set_verify(context, verifies ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nil)
        let names = TLSContext.wireFormat(of: protocols)
        if !names.isEmpty {
            _ = unsafe SSL_CTX_set_alpn_protos(context, names, UInt32(names.count))
        }
        unsafe sluice_ssl_client_cache(context)
        unsafe SSL_CTX_sess_set_new_cb(context) { ssl, session in
            guard let session = unsafe session,
                let own = unsafe TLSBridge.session(ofConnection: ssl),
                case .client(let client, let name, let key) = own.role
            else { return 0 }
            unsafe client.keep(session, for: key + "/" + name)
            return 1
        }
    }

    deinit { unsafe SSL_CTX_free(context) }

    func makeConnection() -> OpaquePointer? { unsafe SSL_new(context) }

    /// Makes a connection a client's, and tells it who is expected.
    func prepare(_ ssl: OpaquePointer, for name: String, key: String) throws(TLSError) {
        unsafe SSL_set_connect_state(ssl)
        // An address is no name: it is neither sent (RFC 6066 §3) nor matched as one.
        let isAddress = Address(name, port: 0) != nil
        var isDone = isAddress || name.isEmpty
        if !isDone { isDone = unsafe sluice_ssl_send_server_name(ssl, name) != 0 }
        if verifies, isDone {
            let expected = unsafe sluice_ssl_expect(ssl)
            unsafe X509_VERIFY_PARAM_set_hostflags(
                expected,
                UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS)
            )
            if name.isEmpty {
                throw TLSError(.unusable, "there is no name that the server could prove to have")
            }
            isDone =
                isAddress
                ? unsafe X509_VERIFY_PARAM_set1_ip_asc(expected, name) == 1
                : unsafe X509_VERIFY_PARAM_set1_host(expected, name, 0) == 1
        }
        guard isDone else { throw TLSError(.unusable, "\(name): is no name of a server") }
        if let held = sessions.withLock({ $0[key + "/" + name] }) {
            _ = unsafe SSL_set_session(ssl, held.session)
        }
    }

    /// Keeps the newest session with a server; one reference of it is ours from now on.
    private func keep(_ session: OpaquePointer, for key: String) {
        let held = unsafe Held(session)
        sessions.withLock { sessions in
            if sessions.count >= TLSClient.sessionsMax, sessions[key] == nil {
                sessions.removeAll()
            }
            sessions[key] = held
        }
    }
}

/// Which side of TLS a connection is, and by whose rules.
enum TLSRole {
    case server(TLSServer)
    /// The name that the server must prove to have; the key tells servers of one name apart.
    case client(TLSClient, name: String, key: String)

    var isClient: Bool {
        if case .client = self { true } else { false }
    }

    func makeConnection() -> OpaquePointer? {
        switch self {
        case .server(let server): unsafe server.makeConnection()
        case .client(let client, _, _): unsafe client.makeConnection()
        }
    }

    func prepare(_ ssl: OpaquePointer, at now: Instant) throws(TLSError) {
        switch self {
        case .server: unsafe SSL_set_accept_state(ssl)
        case .client(let client, let name, let key):
            try unsafe client.prepare(ssl, for: name, key: key)
        }
    }
}

/// What clients' and servers' contexts have in common.
enum TLSContext {
    /// TLS 1.2 suites with forward secrecy and authenticated encryption: Mozilla's "intermediate"
    /// without those of finite fields, whose handshakes cost more than they are asked for.
    private static let suites =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        + "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        + "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
    private static let groups = "X25519:P-256:P-384"

    /// A context with the versions, suites and modes that all connections have.
    static func make(_ method: OpaquePointer?) throws(TLSError) -> OpaquePointer {
        TLSErrors.clear()
        guard let context = unsafe SSL_CTX_new(method) else {
            throw TLSError(.unusable, TLSErrors.takeText(otherwise: "no memory"))
        }
        let isDone =
            unsafe sluice_ssl_versions(context) != 0
            && SSL_CTX_set_cipher_list(context, suites) == 1
            && sluice_ssl_groups(context, groups) != 0
        guard isDone else {
            unsafe SSL_CTX_free(context)
            throw TLSError(.unusable, TLSErrors.takeText(otherwise: "no common ciphers"))
        }
        unsafe sluice_ssl_modes(context)
        return unsafe context
    }

    /// Protocols as the handshake lists them (RFC 7301 §3.1).
    static func wireFormat(of protocols: [String]) -> [UInt8] {
        protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
    }
}
