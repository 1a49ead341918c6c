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

static EVP_PKEY *made_new(const char *group, struct span point)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group,
				       strlen(group)),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)(uintptr_t)point.bytes,
					point.len),
		OSSL_PARAM_END,
	};
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		return NULL;
	return key;
}

static EVP_PKEY *made_like(EVP_PKEY *like, struct span point)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_PKEY_dup(like);

	/* If the point was refused, the key still has the other key's point: don't return it. */
	if (!key || EVP_PKEY_set1_encoded_public_key(key, point.bytes, point.len) != 1)
		return NULL;
	return TAKE_PTR(key);
}

EVP_PKEY *ec_key_make(const char *group, struct span point, EVP_PKEY *like)
{
	if (point.len < 1 || point.bytes[0] != UNCOMPRESSED) /* OpenSSL would accept infinity */
		return NULL;
	return like && ec_key_is_on(like, group) ? made_like(like, point) : made_new(group, point);
}
