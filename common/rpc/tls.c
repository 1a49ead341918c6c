/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/tls.h"

#include "common/crypto/key.h"
#include "common/rpc/tls_conn.h"
#include "common/rpc/tls_groups.h"
#include "common/rpc/tls_revoked.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct rpc_tls {
	unsigned refs;
	SSL_CTX *context;
	char *name;
	struct revocation *revocation;
	bool judged_by_prologue;
};

DEFINE_CLEANUP(SSL_CTX *, SSL_CTX_free)

enum { READ_AHEAD = 64 << 10 };

/* Forward secrecy and AEAD only (RFC 9113, section 9.2.2 forbids the rest for HTTP/2). */
static const char tls12_suites[] = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!PSK";

static const unsigned char alpn_h2[] = { 2, 'h', '2' };

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		       const unsigned char *in, unsigned in_len, void *data)
{
	for (unsigned i = 0; i < in_len; i += 1u + in[i]) {
		if (in[i] == 2 && in_len - i > 2 && memcmp(in + i + 1, "h2", 2) == 0) {
			*out = in + i + 1;
			*out_len = 2;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static BIO *pem_open(const char *pem, const char *what, struct err *e)
{
	size_t len = strnlen(pem, RPC_TLS_PEM_MAX + 1);
	BIO *bio;

	if (len > RPC_TLS_PEM_MAX) {
		err_set(e, ERR_INVALID, "%s: more than %d bytes of PEM", what, RPC_TLS_PEM_MAX);
		return NULL;
	}
	bio = BIO_new_mem_buf(pem, (int)len);
	if (!bio)
		err_nomem(e);
	return bio;
}

/* The next certificate, or NULL: at the end (*e untouched) or at one that is broken (error set). */
static X509 *pem_next(BIO *bio, const char *what, bool *broken, struct err *e)
{
	X509 *cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);

	*broken = false;
	if (cert)
		return cert;
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) {
		err_openssl(e, ERR_INVALID, "%s: not a PEM certificate", what);
		*broken = true;
	}
	ERR_clear_error();
	return NULL;
}

static int use_chain(SSL_CTX *context, const char *pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = pem_open(pem, "certificate", e);
	bool broken;

	if (!bio)
		return err_code(e);
	for (unsigned count = 0;; count++) {
		CLEANUP(X509_free) X509 *cert = pem_next(bio, "certificate", &broken, e);

		if (!cert && broken)
			return err_code(e);
		if (!cert && count == 0)
			return err_set(e, ERR_INVALID, "certificate: no PEM certificate in it");
		if (!cert)
			return 0;
		if (count >= RPC_TLS_CHAIN_MAX)
			return err_set(e, ERR_INVALID,
				       "certificate: a chain of more than %d certificates",
				       RPC_TLS_CHAIN_MAX);
		if (count == 0 ? SSL_CTX_use_certificate(context, cert) != 1
			       : SSL_CTX_add1_chain_cert(context, cert) != 1)
			return err_openssl(e, ERR_INVALID, "certificate: can't be used");
	}
}

static int use_identity(SSL_CTX *context, const struct rpc_tls_config *config, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (!config->cert && !config->key && !config->pkey)
		return 0;
	if (!config->cert || (!config->key && !config->pkey))
		return err_set(e, ERR_INVALID, "TLS: a certificate and its key go together");
	if (use_chain(context, config->cert, e) < 0)
		return err_code(e);
	if (!config->pkey &&
	    key_from_private_pem(config->key, strnlen(config->key, RPC_TLS_PEM_MAX), NULL, NULL,
				 &key, e) < 0)
		return err_wrap(e, "TLS key");
	/* A key of another type than the certificate's would have a place of its own. */
	if (SSL_CTX_use_PrivateKey(context, config->pkey ? config->pkey : key) != 1 ||
	    SSL_CTX_check_private_key(context) != 1)
		return err_openssl(e, ERR_INVALID, "TLS: the key is not that of the certificate");
	return 0;
}

static int trust(SSL_CTX *context, const char *pem, bool is_server, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = pem_open(pem, "CA", e);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	unsigned count = 0;
	bool broken;

	if (!bio)
		return err_code(e);
	for (;; count++) {
		CLEANUP(X509_free) X509 *cert = pem_next(bio, "CA", &broken, e);

		if (!cert && broken)
			return err_code(e);
		if (!cert)
			break;
		if (X509_STORE_add_cert(store, cert) != 1 ||
		    (is_server && SSL_CTX_add_client_CA(context, cert) != 1))
			return err_openssl(e, ERR_INVALID, "CA: can't be used");
	}
	/* An empty store would let a server demand certificates that nobody can have. */
	return count ? 0 : err_set(e, ERR_INVALID, "CA: no PEM certificate in it");
}

static int set_basics(SSL_CTX *context, const struct rpc_tls_config *config, struct err *e)
{
	int lowest = config->only_tls13 || config->groups ? TLS1_3_VERSION : TLS1_2_VERSION;

	SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION |
					     SSL_OP_NO_COMPRESSION |
					     SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* Closing without close_notify loses nothing: HTTP/2 and gRPC mark their ends themselves. */
	SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
					  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One system call for several records; the buffer goes when it is empty. */
	SSL_CTX_set_read_ahead(context, 1);
	SSL_CTX_set_default_read_buffer_len(context, READ_AHEAD);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(context, lowest) != 1 ||
	    SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_num_tickets(context, 0) != 1 ||
	    SSL_CTX_set_cipher_list(context, tls12_suites) != 1)
		return err_openssl(e, ERR_INTERNAL, "TLS: set up");
	/* The set itself, for it outlives the settings with the context. */
	SSL_CTX_set_app_data(context, (void *)(uintptr_t)config->groups);
	return tls_groups_set(context, config->groups ? config->groups : KEX_GROUPS_ALL, e);
}

/* Takes the context over in every case. */
static int tls_make(SSL_CTX *made, const struct rpc_tls_config *config, struct rpc_tls **tls,
		    struct err *e)
{
	CLEANUP(SSL_CTX_free) SSL_CTX *context = made;
	CLEANUP(rpc_tls_free) struct rpc_tls *t = NULL;

	t = calloc(1, sizeof(*t));
	if (!t)
		return err_nomem(e);
	t->refs = 1;
	t->judged_by_prologue = config->judged_by_prologue;
	if (config->revocation) {
		if (!config->ca)
			return err_set(
				e, ERR_INVALID,
				"TLS: revocation lists without the authorities that they are of");
		t->revocation = revocation_ref(config->revocation);
		tls_revoked_use(context, t->revocation);
	}
	if (config->name) {
		t->name = strdup(config->name);
		if (!t->name)
			return err_nomem(e);
	}
	t->context = TAKE_PTR(context);
	*tls = TAKE_PTR(t);
	return 0;
}

int rpc_tls_new_server(const struct rpc_tls_config *config, struct rpc_tls **tls, struct err *e)
{
	CLEANUP(SSL_CTX_free) SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	if (!context)
		return err_openssl(e, ERR_INTERNAL, "TLS: set up");
	if (!config->cert)
		return err_set(e, ERR_INVALID, "TLS: a server needs a certificate and a key");
	if (set_basics(context, config, e) < 0 || use_identity(context, config, e) < 0)
		return err_code(e);
	SSL_CTX_set_alpn_select_cb(context, choose_alpn, NULL);
	if (config->ca) {
		if (trust(context, config->ca, true, e) < 0)
			return err_code(e);
		SSL_CTX_set_max_cert_list(context, TLS_CLIENT_CHAIN_MAX);
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
				   NULL);
	}
	return tls_make(TAKE_PTR(context), config, tls, e);
}

int rpc_tls_new_client(const struct rpc_tls_config *config, struct rpc_tls **tls, struct err *e)
{
	CLEANUP(SSL_CTX_free) SSL_CTX *context = SSL_CTX_new(TLS_client_method());

	if (!context)
		return err_openssl(e, ERR_INTERNAL, "TLS: set up");
	if (config->judged_by_prologue && (!config->only_tls13 || config->ca || config->name))
		return err_set(e, ERR_INVALID,
			       "TLS: a certificate judged by the prologue needs TLS 1.3 only, and "
			       "takes neither CA nor name");
	if (set_basics(context, config, e) < 0 || use_identity(context, config, e) < 0)
		return err_code(e);
	if (SSL_CTX_set_alpn_protos(context, alpn_h2, sizeof(alpn_h2)) != 0)
		return err_openssl(e, ERR_INTERNAL, "TLS: set up");
	if (config->judged_by_prologue) {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
		return tls_make(TAKE_PTR(context), config, tls, e);
	}
	if (config->ca ? trust(context, config->ca, false, e) < 0
		       : SSL_CTX_set_default_verify_paths(context) != 1)
		return config->ca ? err_code(e)
				  : err_openssl(e, ERR_INTERNAL, "TLS: the system's certificates");
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
	return tls_make(TAKE_PTR(context), config, tls, e);
}

struct rpc_tls *rpc_tls_ref(struct rpc_tls *tls)
{
	if (tls)
		tls->refs++;
	return tls;
}

void rpc_tls_free(struct rpc_tls *tls)
{
	if (!tls || --tls->refs > 0)
		return;
	SSL_CTX_free(tls->context);
	revocation_unref(tls->revocation);
	free(tls->name);
	free(tls);
}

SSL_CTX *rpc_tls_context(struct rpc_tls *tls)
{
	return tls->context;
}

bool rpc_tls_is_judged_by_prologue(const struct rpc_tls *tls)
{
	return tls->judged_by_prologue;
}

/* An address is compared with the certificate's addresses, anything else with its DNS names. */
static bool expect_name(SSL *ssl, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1)
		return true;
	ERR_clear_error();
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, name) == 1;
}

SSL *tls_conn_new(struct rpc_tls *tls, const char *host, struct err *e)
{
	SSL *ssl = SSL_new(tls->context);
	const char *name = tls->name ? tls->name : host;

	if (!ssl) {
		err_openssl(e, ERR_EXHAUSTED, "TLS: new connection");
		return NULL;
	}
	if (!host) {
		SSL_set_accept_state(ssl);
		return ssl;
	}
	SSL_set_connect_state(ssl);
	if (!tls->judged_by_prologue && (!*name || !expect_name(ssl, name))) {
		err_openssl(e, ERR_INVALID, "TLS: %s can't be the name of a server", name);
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

static uint32_t demanded(const SSL *ssl)
{
	return (uint32_t)(uintptr_t)SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
}

/* What becomes of a handshake in which nothing but the demanded was offered. */
static const char *group_failure(int reason)
{
	static const struct {
		int reason;
		const char *says;
	} rows[] = {
		{ SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE, "the server does not take it" },
		{ SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, "the server has no TLS 1.3" },
		{ SSL_R_UNSUPPORTED_PROTOCOL, "the server chose an older TLS than 1.3" },
		{ SSL_R_BAD_KEY_SHARE, "the server chose another, which was not offered" },
		{ SSL_R_WRONG_CURVE, "the server chose another, which was not offered" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].reason == reason)
			return rows[i].says;
	return NULL;
}

/* Says in a person's words what went wrong in a handshake. */
int tls_conn_error(SSL *ssl, struct err *e)
{
	long verify = SSL_get_verify_result(ssl);
	const struct err *refused = tls_conn_refused(ssl);
	const char *group = demanded(ssl) && !SSL_is_server(ssl) && SSL_in_init(ssl)
				    ? group_failure(ERR_GET_REASON(ERR_peek_error()))
				    : NULL;

	if (tls_revoked_why(ssl)) {
		ERR_clear_error();
		return err_set(e, ERR_UNAVAILABLE, "TLS: the peer's %s", tls_revoked_why(ssl));
	}
	if (refused) {
		ERR_clear_error();
		return err_set(e, ERR_UNAVAILABLE, "TLS: %s", refused->text);
	}

	if (group) {
		ERR_clear_error();
		return err_set(e, ERR_UNAVAILABLE, "TLS: key exchange %s is demanded: %s",
			       kex_groups_show(demanded(ssl)).text, group);
	}

	if (verify != X509_V_OK && SSL_get_verify_mode(ssl) != SSL_VERIFY_NONE) {
		ERR_clear_error();
		return err_set(e, ERR_UNAVAILABLE, "TLS: the peer's certificate: %s",
			       X509_verify_cert_error_string(verify));
	}
	if (ERR_peek_error() == 0)
		return err_set(e, ERR_UNAVAILABLE, "TLS: the peer closed the connection");
	return err_openssl(e, ERR_UNAVAILABLE, "TLS");
}

int tls_conn_check_alpn(SSL *ssl, struct err *e)
{
	const unsigned char *chosen = NULL;
	unsigned len = 0;

	SSL_get0_alpn_selected(ssl, &chosen, &len);
	if (len != 2 || memcmp(chosen, "h2", 2) != 0)
		return err_set(e, ERR_UNAVAILABLE,
			       "TLS: the peer does not speak HTTP/2 (no ALPN 'h2')");
	return 0;
}

int tls_conn_check_group(SSL *ssl, struct err *e)
{
	uint32_t agreed = tls_groups_agreed(ssl);

	if (!demanded(ssl) || (demanded(ssl) & agreed))
		return 0;
	return err_set(e, ERR_UNAVAILABLE, "TLS: key exchange %s is demanded: it is %s",
		       kex_groups_show(demanded(ssl)).text, kex_groups_show(agreed).text);
}

int tls_conn_exporter(SSL *ssl, const struct tls_export *x, struct err *e)
{
	/* RFC 7627, section 5.4: without it two connections can be made to share their secrets. */
	if (SSL_version(ssl) < TLS1_3_VERSION && SSL_get_extms_support(ssl) != 1)
		return err_set(e, ERR_PRECONDITION,
			       "TLS exporter: the peer's TLS 1.2 lacks extended master secrets");
	if (SSL_export_keying_material(ssl, x->out, x->len, x->label, strlen(x->label), x->context,
				       x->context_len, x->context != NULL) != 1)
		return err_openssl(e, ERR_INTERNAL, "TLS exporter '%s'", x->label);
	return 0;
}
