/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_tls.h"

#include "common/crypto/key.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

struct relay_tls {
	SSL_CTX *ctx;
	bool is_server;
	char identity[RELAY_IDENTITY_MAX];
	uint8_t secret[RELAY_SECRET_LEN];
};

#define CIPHER "TLS_AES_128_GCM_SHA256"
static const unsigned char cipher_id[] = { 0x13, 0x01 };

static SSL_SESSION *make_session(SSL *ssl, const struct relay_tls *tls)
{
	const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, cipher_id);
	SSL_SESSION *session = SSL_SESSION_new();

	if (session && cipher &&
	    SSL_SESSION_set1_master_key(session, tls->secret, sizeof(tls->secret)) == 1 &&
	    SSL_SESSION_set_cipher(session, cipher) == 1 &&
	    SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1)
		return session;
	SSL_SESSION_free(session);
	return NULL;
}

static int on_client(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
		     SSL_SESSION **session)
{
	const struct relay_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	(void)md; /* the one cipher has one */
	*session = make_session(ssl, tls);
	*id = (const unsigned char *)tls->identity;
	*id_len = strlen(tls->identity);
	return *session != NULL;
}

static int on_server(SSL *ssl, const unsigned char *id, size_t id_len, SSL_SESSION **session)
{
	const struct relay_tls *tls = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

	*session = NULL;
	if (id_len != strlen(tls->identity) || memcmp(id, tls->identity, id_len) != 0)
		return 1; /* and without a certificate the handshake ends there */
	*session = make_session(ssl, tls);
	return *session != NULL;
}

static SSL_CTX *make_context(struct relay_tls *tls)
{
	SSL_CTX *ctx = SSL_CTX_new(tls->is_server ? TLS_server_method() : TLS_client_method());

	if (!ctx)
		return NULL;
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(ctx, CIPHER) != 1 ||
	    (tls->is_server && SSL_CTX_set_num_tickets(ctx, 0) != 1)) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* No authority is trusted: a server with a certificate in place of the secret is refused. */
	SSL_CTX_set_verify(ctx, tls->is_server ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_app_data(ctx, tls);
	if (tls->is_server)
		SSL_CTX_set_psk_find_session_callback(ctx, on_server);
	else
		SSL_CTX_set_psk_use_session_callback(ctx, on_client);
	return ctx;
}

int relay_tls_new(const uint8_t secret[RELAY_SECRET_LEN], int64_t number, bool is_server,
		  struct relay_tls **tls, struct err *e)
{
	struct relay_tls *t = calloc(1, sizeof(*t));

	if (!t)
		return err_nomem(e);
	t->is_server = is_server;
	memcpy(t->secret, secret, sizeof(t->secret));
	snprintf(t->identity, sizeof(t->identity), "cocos-lease %" PRId64, number);
	t->ctx = make_context(t);
	if (!t->ctx) {
		relay_tls_free(t);
		return err_openssl(e, ERR_INTERNAL, "TLS between instances");
	}
	*tls = t;
	return 0;
}

void relay_tls_free(struct relay_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	OPENSSL_cleanse(tls->secret, sizeof(tls->secret));
	free(tls);
}

SSL *relay_tls_open(struct relay_tls *tls, int fd, struct err *e)
{
	SSL *ssl = SSL_new(tls->ctx);

	if (!ssl || SSL_set_fd(ssl, fd) != 1) {
		SSL_free(ssl);
		err_openssl(e, ERR_INTERNAL, "TLS between instances");
		return NULL;
	}
	if (tls->is_server)
		SSL_set_accept_state(ssl);
	else
		SSL_set_connect_state(ssl);
	return ssl;
}

bool relay_tls_is_proven(SSL *ssl)
{
	return SSL_is_init_finished(ssl) && SSL_session_reused(ssl) == 1;
}
