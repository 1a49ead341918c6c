/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/attested/kit.h"

#include "common/base/encode.h"
#include "tests/self_signed.h"

#include <string.h>

enum { TOKEN_TOO_LONG = 65536 };

/* ---- identity ---- */

static int make_leaf(struct kit_identity *identity, struct err *e)
{
	CLEANUP(X509_free) X509 *cert = self_signed(identity->key, "agent", NULL, 0);
	int len = cert ? i2d_X509(cert, &identity->leaf) : 0;

	identity->cert_pem = self_signed_pem(cert);
	if (len <= 0 || !identity->cert_pem)
		return err_openssl(e, ERR_INTERNAL, "certificate");
	identity->leaf_len = (size_t)len;
	return 0;
}

int kit_identity_make(struct kit_identity *identity, struct err *e)
{
	*identity = (struct kit_identity){ .key = NULL };
	if (key_generate(KEY_ECDSA, &identity->key, e) < 0 ||
	    key_to_spki(identity->key, &identity->spki, &identity->spki_len, e) < 0 ||
	    make_leaf(identity, e) < 0 ||
	    key_to_private_pem(identity->key, &identity->key_pem, e) < 0) {
		kit_identity_done(identity);
		return err_code(e);
	}
	return 0;
}

void kit_identity_done(struct kit_identity *identity)
{
	EVP_PKEY_free(identity->key);
	OPENSSL_free(identity->leaf);
	free(identity->spki);
	free(identity->cert_pem);
	free(identity->key_pem);
	*identity = (struct kit_identity){ .key = NULL };
}

int kit_server_tls(const struct kit_identity *identity, const char *client_ca, struct rpc_tls **tls,
		   struct err *e)
{
	const struct rpc_tls_config config = { .cert = identity->cert_pem,
					       .pkey = identity->key,
					       .ca = client_ca,
					       .only_tls13 = true };

	return rpc_tls_new_server(&config, tls, e);
}

/* ---- evidence ---- */

struct collecting {
	uv_timer_t timer;
	struct kit_source *source;
	enum digest_kind hash;
	uint8_t exporter[BINDING_EXPORTER_LEN];
	attested_token_fn *done;
	void *data;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static int make_token(const struct collecting *c, char **token, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * TOKEN_TOO_LONG);
	const struct kit_identity *identity = c->source->identity;
	char hex[2 * BINDING_REPORT_DATA_LEN + 1];
	struct binding binding;
	size_t len;

	if (binding_channel(c->hash, identity->spki, identity->spki_len, c->exporter, NULL,
			    &binding, e) < 0)
		return err_code(e);
	hex_encode(binding.report_data, sizeof(binding.report_data), hex);
	writer_text(&w, KIT_TOKEN_PREFIX);
	writer_text(&w, hex);
	if (c->source->mode == KIT_TOO_LONG)
		writer_zeros(&w, TOKEN_TOO_LONG);
	*token = (char *)writer_take(&w, &len);
	return *token ? 0 : err_nomem(e);
}

static void on_timer(uv_timer_t *timer)
{
	struct collecting *c = timer->data;
	CLEANUP(free) char *token = NULL;
	struct err e;

	c->source->answered++;
	if (c->source->mode == KIT_FAILS)
		err_set(&e, ERR_UNAVAILABLE, "the device refuses");
	else if (make_token(c, &token, &e) == 0 && c->source->mode == KIT_TOO_LONG)
		c->done(c->data, (const uint8_t *)token, TOKEN_TOO_LONG, NULL);
	else if (token)
		c->done(c->data, (const uint8_t *)token, strlen(token), NULL);
	if (!token)
		c->done(c->data, NULL, 0, &e);
	uv_close((uv_handle_t *)timer, on_closed);
}

static int collect(void *data, const struct rpc_source *peer, enum digest_kind hash,
		   const uint8_t exporter[BINDING_EXPORTER_LEN], attested_token_fn *done,
		   void *done_data, void **handle, struct err *e)
{
	struct kit_source *source = data;
	struct collecting *c;

	source->asked++;
	if (source->mode == KIT_FAILS_AT_ONCE)
		return err_set(e, ERR_EXHAUSTED, "too many wait for the device");
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem(e);
	*c = (struct collecting){ .source = source, .hash = hash, .done = done, .data = done_data };
	memcpy(c->exporter, exporter, sizeof(c->exporter));
	if (source->mode == KIT_OTHER_SESSION)
		c->exporter[0] ^= 1;
	uv_timer_init(source->loop, &c->timer);
	c->timer.data = c;
	if (source->mode != KIT_NEVER)
		uv_timer_start(&c->timer, on_timer, source->delay_ms, 0);
	*handle = c;
	return 0;
}

static void cancel(void *data, void *handle)
{
	struct kit_source *source = data;
	struct collecting *c = handle;

	source->cancelled++;
	uv_timer_stop(&c->timer);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

struct attested_source kit_source_of(struct kit_source *source)
{
	return (struct attested_source){ .data = source, .collect = collect, .cancel = cancel };
}

int kit_appraise(void *data, const struct authenticator *a, struct err *e)
{
	char hex[2 * BINDING_REPORT_DATA_LEN + 1], wanted[sizeof(KIT_TOKEN_PREFIX) + sizeof(hex)];
	struct kit_judge *judge = data;

	judge->asked++;
	hex_encode(a->binding.report_data, sizeof(a->binding.report_data), hex);
	snprintf(wanted, sizeof(wanted), "%s%s", KIT_TOKEN_PREFIX, hex);
	if (judge->refuses)
		return err_set(e, ERR_DENIED, "this judge refuses everything");
	if (judge->takes_any)
		return 0;
	if (a->evidence_len != strlen(wanted) || memcmp(a->evidence, wanted, a->evidence_len) != 0)
		return err_set(e, ERR_DENIED, "report_data: the evidence is of another session");
	return 0;
}
