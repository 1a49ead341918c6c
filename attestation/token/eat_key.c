/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat_key.h"

#include "common/base/writer.h"

#include <string.h>
#include <openssl/evp.h>

enum { /* RFC 8747 and RFC 9052/9053 */
       CNF_COSE_KEY = 1,
       KEY_TYPE = 1,
       KEY_TYPE_EC2 = 2,
       KEY_CURVE = -1,
       KEY_CURVE_P256 = 1,
       KEY_X = -2,
       KEY_Y = -3,
       COORDINATE = 32,
       POINT = 1 + 2 * COORDINATE, /* uncompressed, SEC 1 */
};

/* The SubjectPublicKeyInfo of a P-256 key up to its point: there is no other encoding of it. */
static const uint8_t spki_head[] = { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
				     0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00 };

static bool is_number(const struct datum *map, int64_t key, int64_t wanted)
{
	int64_t v;

	return datum_int(datum_get(map, key), &v) && v == wanted;
}

int eat_key_parse(const struct datum *cnf, uint8_t **spki, size_t *len, struct err *e)
{
	const struct datum *key = datum_get(cnf, CNF_COSE_KEY);
	const struct datum *x = datum_get(key, KEY_X), *y = datum_get(key, KEY_Y);
	uint8_t der[sizeof(spki_head) + POINT];

	if (!key || key->type != DATUM_MAP || cnf->count != 1 || key->count != 4 ||
	    !is_number(key, KEY_TYPE, KEY_TYPE_EC2) || !is_number(key, KEY_CURVE, KEY_CURVE_P256) ||
	    !x || x->type != DATUM_BYTES || x->len != COORDINATE || !y || y->type != DATUM_BYTES ||
	    y->len != COORDINATE)
		return err_set(e, ERR_INVALID, "token: 'cnf' is not one P-256 COSE_Key");
	memcpy(der, spki_head, sizeof(spki_head));
	der[sizeof(spki_head)] = 4;
	memcpy(der + sizeof(spki_head) + 1, x->bytes, COORDINATE);
	memcpy(der + sizeof(spki_head) + 1 + COORDINATE, y->bytes, COORDINATE);

	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
	if (key_from_spki(der, sizeof(der), &read, e) < 0)
		return err_wrap(e, "token: 'cnf'");
	*spki = malloc(sizeof(der));
	if (!*spki)
		return err_nomem(e);
	memcpy(*spki, der, sizeof(der));
	*len = sizeof(der);
	return 0;
}

int eat_key_write(const EVP_PKEY *key, struct writer *w, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(key, &spki, &len, e) < 0)
		return err_code(e);
	if (len != sizeof(spki_head) + POINT || memcmp(spki, spki_head, sizeof(spki_head)) != 0)
		return err_set(e, ERR_INVALID, "token: the key is not P-256");
	datum_put_map(w, 1);
	datum_put_uint(w, CNF_COSE_KEY);
	datum_put_map(w, 4);
	datum_put_int(w, KEY_TYPE);
	datum_put_int(w, KEY_TYPE_EC2);
	datum_put_int(w, KEY_CURVE);
	datum_put_int(w, KEY_CURVE_P256);
	datum_put_int(w, KEY_X);
	datum_put_bytes(w, spki + sizeof(spki_head) + 1, COORDINATE);
	datum_put_int(w, KEY_Y);
	datum_put_bytes(w, spki + sizeof(spki_head) + 1 + COORDINATE, COORDINATE);
	return 0;
}
