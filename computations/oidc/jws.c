/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/jws.h"

#include "attestation/formats/ecdsa.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/rsa.h>

DEFINE_CLEANUP(struct json *, json_free)

static int read_header(const struct json *header, struct jws *t, struct err *e)
{
	const char *alg, *kid;
	int known;

	if (json_get_string(header, "alg", &alg, e) < 0 ||
	    json_get_string(header, "kid", &kid, e) < 0)
		return err_code(e);
	known = jws_algorithm_find(alg);
	if (known < 0)
		return err_set(e, ERR_DENIED,
			       "signed by %s: RS256, PS256, ES256 and EdDSA are accepted",
			       log_quote(alg).text);
	if (json_get(header, "crit"))
		return err_set(e, ERR_DENIED, "it has critical headers, and none is known here");
	if (!*kid || strlen(kid) > JWKS_KID_MAX)
		return err_set(e, ERR_DENIED, "a kid of %zu bytes; 1 to %d", strlen(kid),
			       JWKS_KID_MAX);
	t->algorithm = (enum jws_algorithm)known;
	memcpy(t->kid, kid, strlen(kid) + 1);
	return 0;
}

static int parse_header(const char *text, size_t len, struct jws *t, struct err *e)
{
	CLEANUP(json_free) struct json *header = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t count;

	if (base64url_decode(text, len, &bytes, &count, e) < 0 ||
	    json_parse(bytes, count, &header, e) < 0 || read_header(header, t, e) < 0)
		return err_wrap(e, "header");
	return 0;
}

int jws_parse(const char *text, size_t len, struct jws *token, struct err *e)
{
	struct jws t = { .payload = NULL };
	const char *payload, *signature;

	if (len > JWS_MAX)
		return err_set(e, ERR_DENIED, "token: %zu characters; at most %d", len, JWS_MAX);
	payload = memchr(text, '.', len);
	signature = payload ? memchr(payload + 1, '.', len - (size_t)(payload + 1 - text)) : NULL;
	if (!signature)
		return err_set(e, ERR_DENIED, "token: not of three parts");
	t.signed_text = (struct span){ (const uint8_t *)text, (size_t)(signature - text) };
	if (parse_header(text, (size_t)(payload - text), &t, e) < 0)
		return err_wrap(e, "token");
	if (base64url_decode(payload + 1, (size_t)(signature - payload - 1), &t.payload,
			     &t.payload_len, e) < 0 ||
	    base64url_decode(signature + 1, len - (size_t)(signature + 1 - text), &t.signature,
			     &t.signature_len, e) < 0) {
		jws_done(&t);
		return err_wrap(e, "token");
	}
	*token = t;
	return 0;
}

void jws_done(struct jws *token)
{
	free(token->payload);
	free(token->signature);
	*token = (struct jws){ .payload = NULL };
}

/* RFC 7518, 3.3 and 3.5; RFC 8037, 3.1. */
static bool holds(const struct jws *t, EVP_PKEY *key)
{
	const EVP_MD *md = t->algorithm == JWS_EDDSA ? NULL : EVP_sha256();
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *way = NULL;

	if (!ctx || EVP_DigestVerifyInit(ctx, &way, md, NULL, key) != 1)
		return false;
	if (t->algorithm == JWS_PS256 &&
	    (EVP_PKEY_CTX_set_rsa_padding(way, RSA_PKCS1_PSS_PADDING) != 1 ||
	     EVP_PKEY_CTX_set_rsa_pss_saltlen(way, RSA_PSS_SALTLEN_DIGEST) != 1))
		return false;
	return EVP_DigestVerify(ctx, t->signature, t->signature_len, t->signed_text.bytes,
				t->signed_text.len) == 1;
}

int jws_verify(const struct jws *t, const struct jwks_key *key, struct err *e)
{
	const struct span signature = { t->signature, t->signature_len };
	struct err why;

	if (!(key->algorithms & 1U << t->algorithm))
		return err_set(e, ERR_DENIED, "token: the key of its kid is not for %s",
			       jws_algorithm_name(t->algorithm));
	if (t->algorithm == JWS_ES256 ? ecdsa_verify(key->key, ECDSA_P256, DIGEST_SHA256,
						     t->signed_text, signature, &why) == 0
				      : holds(t, key->key))
		return 0;
	return err_openssl(e, ERR_DENIED, "token: its signature does not hold");
}
