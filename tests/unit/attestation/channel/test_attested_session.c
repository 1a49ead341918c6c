/* SPDX-License-Identifier: Apache-2.0 */
/* Which TLS sessions evidence may be bound to. Our own listeners and clients agree on no other, so that here each
 * is made by OpenSSL alone. */
#include "attestation/channel/attested_session.h"
#include "tests/attested/kit.h"
#include "tests/unit.h"

enum { ROUNDS = 16 };

static struct kit_identity server_identity;

/* Both ends of a connection, or of one after the other. */
struct pair {
	SSL_CTX *contexts[2];
	SSL *ends[2];
};
enum { SERVER, CLIENT };

static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
		  const unsigned char *in, unsigned int in_len, void *arg)
{
	*out = in + 1;
	*out_len = in[0];
	return SSL_TLSEXT_ERR_OK;
}

static void pair_open(struct pair *p, int version)
{
	const uint8_t *der = server_identity.leaf;
	X509 *leaf = d2i_X509(NULL, &der, (long)server_identity.leaf_len);

	p->contexts[SERVER] = SSL_CTX_new(TLS_server_method());
	p->contexts[CLIENT] = SSL_CTX_new(TLS_client_method());
	assert_int_equal(SSL_CTX_use_certificate(p->contexts[SERVER], leaf), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(p->contexts[SERVER], server_identity.key), 1);
	SSL_CTX_set_alpn_select_cb(p->contexts[SERVER], choose, NULL);
	for (size_t i = 0; i < ARRAY_LEN(p->contexts); i++)
		assert_int_equal(SSL_CTX_set_max_proto_version(p->contexts[i], version), 1);
	X509_free(leaf);
}

/* `alpn`: a length and a name, or NULL. */
static void pair_connect(struct pair *p, const char *alpn, SSL_SESSION *session)
{
	BIO *bios[2];
	char ignored;

	assert_int_equal(BIO_new_bio_pair(&bios[0], 0, &bios[1], 0), 1);
	for (size_t i = 0; i < ARRAY_LEN(p->ends); i++) {
		p->ends[i] = SSL_new(p->contexts[i]);
		SSL_set_bio(p->ends[i], bios[i], bios[i]);
	}
	SSL_set_accept_state(p->ends[SERVER]);
	SSL_set_connect_state(p->ends[CLIENT]);
	if (alpn)
		assert_int_equal(SSL_set_alpn_protos(p->ends[CLIENT], (const uint8_t *)alpn,
						     (unsigned)strlen(alpn)),
				 0);
	if (session)
		assert_int_equal(SSL_set_session(p->ends[CLIENT], session), 1);
	/* What comes behind the handshake is read, too: tickets. */
	for (int i = 0; i < ROUNDS; i++)
		for (size_t end = 0; end < ARRAY_LEN(p->ends); end++)
			(void)SSL_read(p->ends[end], &ignored, 1);
	assert_true(SSL_is_init_finished(p->ends[SERVER]));
	assert_true(SSL_is_init_finished(p->ends[CLIENT]));
}

static void pair_disconnect(struct pair *p)
{
	for (size_t i = 0; i < ARRAY_LEN(p->ends); i++) {
		SSL_shutdown(p->ends[i]);
		SSL_free(p->ends[i]);
	}
}

static void pair_close(struct pair *p)
{
	pair_disconnect(p);
	for (size_t i = 0; i < ARRAY_LEN(p->contexts); i++)
		SSL_CTX_free(p->contexts[i]);
}

/* `why` NULL: by neither end. */
static void is_refused(const struct pair *p, const char *why)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(p->ends); i++)
		if (why)
			assert_refused(attested_session_check(p->ends[i], &e), e, ERR_DENIED, why);
		else
			assert_ok(attested_session_check(p->ends[i], &e), e);
}

static void only_tls_1_3_with_h2_will_do(void **state)
{
	static const struct {
		int version;
		const char *alpn, *why;
	} rows[] = {
		{ TLS1_3_VERSION, "\2h2", NULL },
		{ TLS1_2_VERSION, "\2h2", "TLSv1.2; only TLSv1.3" },
		{ TLS1_3_VERSION, NULL, "no ALPN 'h2'" },
		{ TLS1_3_VERSION, "\2h3", "no ALPN 'h2'" }, /* as long */
		{ TLS1_3_VERSION, "\1h", "no ALPN 'h2'" },
		{ TLS1_3_VERSION, "\3h2c", "no ALPN 'h2'" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct pair p;

		pair_open(&p, rows[i].version);
		pair_connect(&p, rows[i].alpn, NULL);
		is_refused(&p, rows[i].why);
		pair_close(&p);
	}
}

/* Its peer showed no certificate this time. */
static void a_resumed_session_is_none(void **state)
{
	SSL_SESSION *session;
	struct pair p;

	pair_open(&p, TLS1_3_VERSION);
	pair_connect(&p, "\2h2", NULL);
	is_refused(&p, NULL);
	session = SSL_get1_session(p.ends[CLIENT]);
	assert_true(SSL_SESSION_is_resumable(session));
	pair_disconnect(&p);
	pair_connect(&p, "\2h2", session);
	assert_true(SSL_session_reused(p.ends[CLIENT]));
	is_refused(&p, "a resumed session");
	SSL_SESSION_free(session);
	pair_close(&p);
}

static int make(void **state)
{
	struct err e;

	return kit_identity_make(&server_identity, &e);
}

static int done(void **state)
{
	kit_identity_done(&server_identity);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_tls_1_3_with_h2_will_do),
		cmocka_unit_test(a_resumed_session_is_none),
	};

	return cmocka_run_group_tests(tests, make, done);
}
