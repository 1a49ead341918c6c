/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/ec_key.h"

#include "common/crypto/key.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

enum { GROUP_MAX = 64, UNCOMPRESSED = 4 /* SEC 1, 2.3.3 */ };

bool ec_key_is_on(const EVP_PKEY *key, const char *group)
{
	char name[GROUP_MAX] = "";

	return EVP_PKEY_is_a(key, "EC") &&
	       EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) == 1 &&
	       strcmp(name, group) == 0;
}

/* The curves that a key of ours can be on. */
static const char *const groups[] = { "prime256v1", "secp384r1", "secp521r1" };

static bool is_known(const char *group)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (strcmp(groups[i], group) == 0)
			return true;
	return false;
}

/* The curve is made anew for each key. A copy of one that the process keeps takes a quarter of the time, but would be
 * state of the library that all its callers share. */
EVP_PKEY *ec_key_make(const char *group, struct span point)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group,
				       strlen(group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.bytes,
					point.len),
		OSSL_PARAM_END,
	};
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = NULL;
	EVP_PKEY *key = NULL;

	if (!is_known(group) || point.len < 1 ||
	    point.bytes[0] != UNCOMPRESSED) /* OpenSSL would accept infinity */
		return NULL;
	ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}
