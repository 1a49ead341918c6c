/* SPDX-License-Identifier: Apache-2.0 */
/* A provider's key set. */
#include "computations/oidc/jwks.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct jwks set;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct err e;

	if (jwks_parse(bytes, len, &set, &e) < 0) {
		assert(set.count == 0 && strncmp(e.text, "key set", 7) == 0);
		return 0;
	}
	assert(set.count <= JWKS_KEYS_MAX);
	for (size_t i = 0; i < set.count; i++) {
		const struct jwks_key *key = &set.keys[i];

		assert(*key->kid && key->key && jwks_find(&set, key->kid) == key);
		assert(key->algorithms && key->algorithms < 1U << JWS_ALGORITHMS);
		assert(EVP_PKEY_is_a(key->key, "RSA") ==
		       ((key->algorithms & (1U << JWS_RS256 | 1U << JWS_PS256)) != 0));
		for (int a = 0; a < JWS_ALGORITHMS; a++)
			assert(jws_algorithm_find(jws_algorithm_name((enum jws_algorithm)a)) == a);
	}
	jwks_done(&set);
	return 0;
}
