// OpenSSL's TLS, and inline wrappers for what is a macro or takes what Swift cannot hand over.
#ifndef SLUICE_COPENSSL_SHIM_H
#define SLUICE_COPENSSL_SHIM_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <string.h>

// A TLS client's and server's versions: 1.2 and 1.3.
static inline int sluice_ssl_versions(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
        SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1;
}

// How every connection reads and writes: no buffer while it is idle, whole records in one read.
static inline void sluice_ssl_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(context,
        SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_options(context,
        SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
}

static inline int sluice_ssl_groups(SSL_CTX *context, const char *list) {
    return SSL_CTX_set1_groups_list(context, list) == 1;
}

// Tickets instead of a cache that all loops would share.
static inline void sluice_ssl_no_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void sluice_ssl_client_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(
        context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
}

static inline int sluice_ssl_add_chain(SSL_CTX *context, X509 *certificate) {
    return SSL_CTX_add1_chain_cert(context, certificate) == 1;
}

static inline void sluice_ssl_on_server_name(
    SSL_CTX *context, int (*callback)(SSL *, int *, void *), void *argument
) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

static inline int sluice_ssl_send_server_name(SSL *ssl, const char *name) {
    return SSL_set_tlsext_host_name(ssl, name) == 1;
}

static inline X509_VERIFY_PARAM *sluice_ssl_expect(SSL *ssl) { return SSL_get0_param(ssl); }

static inline void sluice_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void sluice_bio_no_retry(BIO *bio) { BIO_clear_retry_flags(bio); }
// The commands that TLS gives a BIO; all but flushing mean nothing to ours.
static inline long sluice_bio_ctrl(BIO *bio, int command, long number, void *pointer) {
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static inline int sluice_error_reason(unsigned long error) { return ERR_GET_REASON(error); }
static inline int sluice_error_is_ssl(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_SSL;
}

/// The cipher of tickets, looked up once and not for each of them.
static inline EVP_CIPHER *sluice_ticket_cipher(void) {
    return EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
}

/// Sets up sealing or opening a ticket: AES-256-CBC, then HMAC-SHA-256 (RFC 5077 §4).
static inline int sluice_ticket_keys(
    EVP_CIPHER_CTX *cipher, const EVP_CIPHER *kind, EVP_MAC_CTX *mac, const uint8_t *aes,
    uint8_t *hmac, const unsigned char *iv, int seals
) {
    OSSL_PARAM parameters[3];
    parameters[0] = OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, hmac, 32);
    char digest[] = "SHA256";
    parameters[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    parameters[2] = OSSL_PARAM_construct_end();
    if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return 0;
    return EVP_CipherInit_ex(cipher, kind, NULL, aes, iv, seals);
}

/// The names of a certificate's DNS subject alternatives, each ended by a NUL; the bytes written,
/// or -1 when they do not fit.
static inline long sluice_certificate_names(X509 *certificate, char *out, long room) {
    GENERAL_NAMES *names =
        (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    long used = 0;
    int count = names == NULL ? 0 : sk_GENERAL_NAME_num(names);
    for (int index = 0; index < count && used >= 0; index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
        if (name->type != GEN_DNS) continue;
        const unsigned char *text = ASN1_STRING_get0_data(name->d.dNSName);
        long length = ASN1_STRING_length(name->d.dNSName);
        // A NUL inside would make another name of it.
        if (length <= 0 || memchr(text, 0, (size_t)length) != NULL) continue;
        if (used + length + 1 > room) {
            used = -1;
        } else {
            memcpy(out + used, text, (size_t)length);
            out[used + length] = 0;
            used += length + 1;
        }
    }
    GENERAL_NAMES_free(names);
    return used;
}

/// One attribute of a name as UTF-8 (NID_commonName); its length, or -1.
static inline long sluice_common_name(X509 *certificate, char *out, int room) {
    X509_NAME *name = X509_get_subject_name(certificate);
    int place = name == NULL ? -1 : X509_NAME_get_index_by_NID(name, NID_commonName, -1);
    if (place < 0) return -1;
    ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, place));
    unsigned char *text = NULL;
    int length = ASN1_STRING_to_UTF8(&text, value);
    if (length < 0) return -1;
    if (length > room || memchr(text, 0, (size_t)length) != NULL) length = -1;
    if (length > 0) memcpy(out, text, (size_t)length);
    OPENSSL_free(text);
    return length;
}

/// The subject as RFC 2253 writes it, in ASCII; its length, or -1 when it does not fit.
static inline long sluice_subject(X509 *certificate, char *out, long room) {
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio == NULL) return -1;
    long length = -1;
    if (X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253) >= 0) {
        char *text = NULL;
        length = BIO_get_mem_data(bio, &text);
        if (length > room) length = -1;
        if (length > 0) memcpy(out, text, (size_t)length);
    }
    BIO_free(bio);
    return length;
}

/// Seconds since 1970 at which a certificate begins to hold, and holds no more.
static inline int64_t sluice_seconds(const ASN1_TIME *time) {
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1) return 0;
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    int known = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return known ? (int64_t)days * 86400 + seconds : 0;
}
static inline int64_t sluice_not_before(const X509 *certificate) {
    return sluice_seconds(X509_get0_notBefore(certificate));
}
static inline int64_t sluice_not_after(const X509 *certificate) {
    return sluice_seconds(X509_get0_notAfter(certificate));
}

// What a PEM file's passphrase is read from: bytes, never a terminal.
struct sluice_passphrase {
    const char *text;
    int asked;
};
static inline int sluice_give_passphrase(char *out, int room, int writing, void *context) {
    struct sluice_passphrase *phrase = (struct sluice_passphrase *)context;
    (void)writing;
    phrase->asked = 1;
    if (phrase->text == NULL) return -1;
    size_t length = strlen(phrase->text);
    if (length > (size_t)room) return -1;
    memcpy(out, phrase->text, length);
    return (int)length;
}

/// Reads a private key; `*asked` tells whether it is sealed with a passphrase.
static inline EVP_PKEY *sluice_read_key(
    const void *bytes, int count, const char *passphrase, int *asked
) {
    struct sluice_passphrase phrase = {passphrase, 0};
    BIO *bio = BIO_new_mem_buf(bytes, count);
    EVP_PKEY *key = bio == NULL
        ? NULL
        : PEM_read_bio_PrivateKey(bio, NULL, sluice_give_passphrase, &phrase);
    BIO_free(bio);
    *asked = phrase.asked;
    return key;
}

static inline int sluice_pem_has_ended(unsigned long error) {
    return ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
}

static inline BIO *sluice_bio_of(const void *bytes, int count) {
    return BIO_new_mem_buf(bytes, count);
}

/// Adds the names of a store's certificates to what a server asks its clients for.
static inline int sluice_ssl_ask_for(SSL_CTX *context, X509 *authority) {
    return SSL_CTX_add_client_CA(context, authority) == 1;
}

// A key on the curve P-256 for a certificate of our own.
static inline EVP_PKEY *sluice_make_key(void) { return EVP_EC_gen("P-256"); }

// Adds an extension such as NID_subject_alt_name to a certificate that is being made.
static inline int sluice_add_extension(X509 *certificate, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (extension == NULL) return 0;
    int is_done = X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return is_done;
}

// Gives a certificate that is being made a time from which on, and until which, it holds.
static inline int sluice_set_times(X509 *certificate, long from, long until) {
    return X509_gmtime_adj(X509_getm_notBefore(certificate), from) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(certificate), until) != NULL;
}

// What has been written into memory.
static inline long sluice_bio_bytes(BIO *bio, char **bytes) {
    return BIO_get_mem_data(bio, bytes);
}

#endif
