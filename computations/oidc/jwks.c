/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/jwks.h"

#include "attestation/formats/ecdsa.h"
#include "attestation/formats/rsa_key.h"
#include "common/base/encode.h"
#include "common/base/json.h"
#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(struct json *, json_free)

enum {
	RSA_LEN_MIN = 2048 / 8,
	RSA_LEN_MAX = 8192 / 8,
	ED25519_LEN = 32, /* RFC 8032, 5.1.5 */
};

static const char *const algorithm_names[JWS_ALGORITHMS] = {
	[JWS_RS256] = "RS256",
	[JWS_PS256] = "PS256",
	[JWS_ES256] = "ES256",
	[JWS_EDDSA] = "EdDSA",
};

const char *jws_algorithm_name(enum jws_algorithm algorithm)
{
	return algorithm_names[algorithm];
}

int jws_algorithm_find(const char *name)
{
	for (int i = 0; i < JWS_ALGORITHMS; i++)
		if (strcmp(algorithm_names[i], name) == 0)
			return i;
	return -1;
}

/* ---- the numbers of each kind ---- */

static int take_number(const struct json *jwk, const char *name, uint8_t **bytes, size_t *len,
		       struct err *e)
{
	const char *text;

	if (json_get_string(jwk, name, &text, e) < 0 ||
	    base64url_decode(text, strlen(text), bytes, len, e) < 0)
		return err_wrap(e, "%s", name);
	return 0;
}

/* RFC 7518, 6.3.1. */
static int make_rsa(const struct json *jwk, EVP_PKEY **key, struct err *e)
{
	CLEANUP(free) uint8_t *n = NULL;
	const char *exponent;
	size_t len;

	if (take_number(jwk, "n", &n, &len, e) < 0 || json_get_string(jwk, "e", &exponent, e) < 0)
		return err_code(e);
	if (strcmp(exponent, "AQAB") != 0)
		return err_set(e, ERR_INVALID, "an RSA key whose exponent is not 65537");
	if (len < RSA_LEN_MIN || len > RSA_LEN_MAX || n[0] < 0x80 || !(n[len - 1] & 1))
		return err_set(e, ERR_INVALID,
			       "an RSA modulus of %zu bytes: it has to be odd, of %d to %d bits",
			       len, 8 * RSA_LEN_MIN, 8 * RSA_LEN_MAX);
	return rsa_key_make((struct span){ n, len }, key, e);
}

/* RFC 7518, 6.2.1: coordinates of the curve's full length. */
static int make_ec(const struct json *jwk, EVP_PKEY **key, struct err *e)
{
	CLEANUP(free) uint8_t *x = NULL, *y = NULL;
	const size_t whole = ecdsa_len(ECDSA_P256);
	uint8_t point[64];
	size_t x_len, y_len;

	if (take_number(jwk, "x", &x, &x_len, e) < 0 || take_number(jwk, "y", &y, &y_len, e) < 0)
		return err_code(e);
	if (x_len != whole || y_len != whole)
		return err_set(e, ERR_INVALID, "coordinates of %zu and %zu bytes, wanted %zu",
			       x_len, y_len, whole);
	memcpy(point, x, whole);
	memcpy(point + whole, y, whole);
	return ecdsa_key(ECDSA_P256, (struct span){ point, sizeof(point) }, key, e);
}

/* RFC 8037, 2. */
static int make_okp(const struct json *jwk, EVP_PKEY **key, struct err *e)
{
	CLEANUP(free) uint8_t *x = NULL;
	size_t len;

	if (take_number(jwk, "x", &x, &len, e) < 0)
		return err_code(e);
	if (len != ED25519_LEN)
		return err_set(e, ERR_INVALID, "an Ed25519 key of %zu bytes, wanted %d", len,
			       ED25519_LEN);
	*key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x, len);
	return *key ? 0 : err_openssl(e, ERR_INVALID, "an Ed25519 key");
}

static const struct kind {
	const char *kty, *crv; /* NULL: it has none */
	unsigned algorithms;
	int (*make)(const struct json *jwk, EVP_PKEY **key, struct err *e);
} kinds[] = {
	{ "RSA", NULL, 1U << JWS_RS256 | 1U << JWS_PS256, make_rsa },
	{ "EC", "P-256", 1U << JWS_ES256, make_ec },
	{ "OKP", "Ed25519", 1U << JWS_EDDSA, make_okp },
};

/* ---- one key ---- */

/* A member that may be missing; "" then. */
static int take_word(const struct json *jwk, const char *name, const char **word, struct err *e)
{
	*word = "";
	return json_get(jwk, name) ? json_get_string(jwk, name, word, e) : 0;
}

static const struct kind *kind_of(const char *kty, const char *crv)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(kinds[i].kty, kty) == 0 &&
		    (!kinds[i].crv || strcmp(kinds[i].crv, crv) == 0))
			return &kinds[i];
	return NULL;
}

/* What it is for, by `use`, `key_ops` and `alg`; 0: for nothing that we do. */
static int take_use(const struct json *jwk, unsigned *algorithms, struct err *e)
{
	const char *use, *alg;
	const struct json *ops = json_get(jwk, "key_ops");
	bool verifies = !ops;
	int known;

	if (take_word(jwk, "use", &use, e) < 0 || take_word(jwk, "alg", &alg, e) < 0)
		return err_code(e);
	if (ops && json_get_array(jwk, "key_ops", &ops, e) < 0)
		return err_code(e);
	for (size_t i = 0; ops && i < ops->count; i++)
		verifies = verifies || (ops->items[i].type == JSON_STRING &&
					strcmp(ops->items[i].text, "verify") == 0);
	known = jws_algorithm_find(alg);
	if (*alg)
		*algorithms &= known < 0 ? 0 : 1U << known;
	if (!verifies || (*use && strcmp(use, "sig") != 0))
		*algorithms = 0;
	return 0;
}

static int take_key(struct jwks *set, const struct json *jwk, struct err *e)
{
	const char *kty, *crv, *kid;
	const struct kind *kind;
	struct jwks_key made = { .key = NULL };

	if (jwk->type != JSON_OBJECT)
		return err_set(e, ERR_INVALID, "a key that is no object");
	if (json_get(jwk, "d"))
		return err_set(e, ERR_INVALID, "a private key, which is everybody's now");
	if (json_get_string(jwk, "kty", &kty, e) < 0 || take_word(jwk, "crv", &crv, e) < 0 ||
	    take_word(jwk, "kid", &kid, e) < 0)
		return err_code(e);
	kind = kind_of(kty, crv);
	made.algorithms = kind ? kind->algorithms : 0;
	if (take_use(jwk, &made.algorithms, e) < 0)
		return err_code(e);
	if (!made.algorithms || !*kid)
		return 0;
	if (strlen(kid) > JWKS_KID_MAX)
		return err_set(e, ERR_INVALID, "a kid of more than %d bytes", JWKS_KID_MAX);
	if (jwks_find(set, kid))
		return err_set(e, ERR_INVALID, "two keys have the kid %s", log_quote(kid).text);
	memcpy(made.kid, kid, strlen(kid) + 1);
	if (kind->make(jwk, &made.key, e) < 0)
		return err_wrap(e, "kid %s", log_quote(kid).text);
	set->keys[set->count++] = made;
	return 0;
}

int jwks_parse(const void *bytes, size_t len, struct jwks *set, struct err *e)
{
	CLEANUP(json_free) struct json *root = NULL;
	const struct json *keys;
	int failed = 0;

	set->count = 0;
	if (len > JWKS_MAX)
		return err_set(e, ERR_INVALID, "key set: %zu bytes; at most %d", len, JWKS_MAX);
	if (json_parse(bytes, len, &root, e) < 0 || json_get_array(root, "keys", &keys, e) < 0)
		return err_wrap(e, "key set");
	if (keys->count > JWKS_KEYS_MAX)
		return err_set(e, ERR_INVALID, "key set: %zu keys; at most %d", keys->count,
			       JWKS_KEYS_MAX);
	for (size_t i = 0; !failed && i < keys->count; i++)
		failed = take_key(set, &keys->items[i], e);
	if (!failed)
		return 0;
	jwks_done(set);
	return err_wrap(e, "key set");
}

void jwks_done(struct jwks *set)
{
	while (set->count > 0)
		EVP_PKEY_free(set->keys[--set->count].key);
}

const struct jwks_key *jwks_find(const struct jwks *set, const char *kid)
{
	for (size_t i = 0; i < set->count; i++)
		if (strcmp(set->keys[i].kid, kid) == 0)
			return &set->keys[i];
	return NULL;
}
