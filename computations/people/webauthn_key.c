/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/webauthn_key.h"

#include "attestation/formats/ecdsa.h"
#include "attestation/formats/rsa_key.h"
#include "computations/people/webauthn.h"

#include <string.h>

enum { /* IANA COSE Key Common Parameters, Key Types, Elliptic Curves */
       KEY_TYPE = 1,
       KEY_ALGORITHM = 3,
       KEY_CURVE = -1,
       KEY_X = -2,
       KEY_Y = -3,
       KEY_N = -1,
       KEY_E = -2,
       TYPE_OKP = 1,
       TYPE_EC2 = 2,
       TYPE_RSA = 3,
       CURVE_P256 = 1,
       CURVE_ED25519 = 6,
       COORDINATE = 32,
       RSA_MIN = 2048 / 8,
};

static bool is_int(const struct datum *map, int64_t label, int64_t value)
{
	int64_t got;

	return datum_int(datum_get(map, label), &got) && got == value;
}

static bool bytes_of(const struct datum *map, int64_t label, size_t min, size_t max,
		     struct span *bytes)
{
	const struct datum *item = datum_get(map, label);

	if (!item || item->type != DATUM_BYTES || item->len < min || item->len > max)
		return false;
	*bytes = (struct span){ item->bytes, item->len };
	return true;
}

static int make_es256(const struct datum *map, EVP_PKEY **key, struct err *e)
{
	uint8_t point[2 * COORDINATE];
	struct span x, y;

	if (!is_int(map, KEY_CURVE, CURVE_P256) ||
	    !bytes_of(map, KEY_X, COORDINATE, COORDINATE, &x) ||
	    !bytes_of(map, KEY_Y, COORDINATE, COORDINATE, &y))
		return err_set(e, ERR_INVALID,
			       "passkey: its key is no point of P-256 with both coordinates");
	memcpy(point, x.bytes, COORDINATE);
	memcpy(point + COORDINATE, y.bytes, COORDINATE);
	return ecdsa_key(ECDSA_P256, (struct span){ point, sizeof(point) }, key, e);
}

static int make_eddsa(const struct datum *map, EVP_PKEY **key, struct err *e)
{
	struct span x;

	if (!is_int(map, KEY_CURVE, CURVE_ED25519) ||
	    !bytes_of(map, KEY_X, COORDINATE, COORDINATE, &x))
		return err_set(e, ERR_INVALID, "passkey: its key is none of Ed25519");
	*key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, x.bytes, x.len);
	return *key ? 0 : err_openssl(e, ERR_INVALID, "passkey: its Ed25519 key");
}

static int make_rs256(const struct datum *map, EVP_PKEY **key, struct err *e)
{
	static const uint8_t exponent[] = { 1, 0, 1 };
	struct span n, power;

	if (!bytes_of(map, KEY_N, RSA_MIN, WEBAUTHN_RSA_MAX, &n) || !(n.bytes[0] & 0x80) ||
	    !bytes_of(map, KEY_E, sizeof(exponent), sizeof(exponent), &power) ||
	    memcmp(power.bytes, exponent, sizeof(exponent)) != 0)
		return err_set(e, ERR_INVALID,
			       "passkey: its RSA key has not 2048 to %d bits and the exponent %d",
			       8 * WEBAUTHN_RSA_MAX, RSA_KEY_EXPONENT);
	return rsa_key_make(n, key, e);
}

static const struct {
	int64_t number, type;
	size_t members;
	int kind; /* as OpenSSL has it */
	int (*make)(const struct datum *map, EVP_PKEY **key, struct err *e);
} algorithms[] = {
	{ WEBAUTHN_ES256, TYPE_EC2, 5, EVP_PKEY_EC, make_es256 },
	{ WEBAUTHN_EDDSA, TYPE_OKP, 4, EVP_PKEY_ED25519, make_eddsa },
	{ WEBAUTHN_RS256, TYPE_RSA, 4, EVP_PKEY_RSA, make_rs256 },
};

int webauthn_key(const struct datum *map, EVP_PKEY **key, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *made = NULL;
	int64_t number = 0;

	if (map->type != DATUM_MAP || !datum_int(datum_get(map, KEY_ALGORITHM), &number))
		return err_set(e, ERR_INVALID, "passkey: its key has no algorithm");
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
		if (algorithms[i].number != number)
			continue;
		if (!is_int(map, KEY_TYPE, algorithms[i].type) ||
		    map->count != algorithms[i].members)
			return err_set(e, ERR_INVALID,
				       "passkey: its key has other members than algorithm %lld has",
				       (long long)number);
		if (algorithms[i].make(map, &made, e) < 0)
			return err_code(e);
		*key = TAKE_PTR(made);
		return 0;
	}
	return err_set(e, ERR_INVALID,
		       "passkey: its algorithm is %lld: ES256 (-7), EdDSA (-8) or RS256 (-257) is "
		       "taken",
		       (long long)number);
}

bool webauthn_key_is(EVP_PKEY *key, int64_t number)
{
	for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
		if (algorithms[i].number == number)
			return EVP_PKEY_get_base_id(key) == algorithms[i].kind;
	return false;
}
