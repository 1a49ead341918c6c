/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/ec_key.h"

#include "common/crypto/key.h"

#include <stdatomic.h>
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

/* A curve takes OpenSSL longer to make than to copy, four times, so each is made once in a process.
 * A template is a key without a point: what can't be verified with. */
static struct template
{
	const char *const group;
	_Atomic(EVP_PKEY *) key;
}
templates[] = { { "prime256v1", NULL }, { "secp384r1", NULL }, { "secp521r1", NULL } };

static EVP_PKEY *template_new(const char *group)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)(uintptr_t)group,
				       strlen(group)),
		OSSL_PARAM_END,
	};
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	EVP_PKEY *key = NULL;

	if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEY_PARAMETERS, params) != 1)
		return NULL;
	return key;
}

/* Never freed and never changed: any thread may copy it. Of two threads that make one at the same
 * moment, the second takes the first one's. */
static EVP_PKEY *template_of(const char *group)
{
	for (size_t i = 0; i < ARRAY_LEN(templates); i++) {
		struct template *t = &templates[i];
		EVP_PKEY *key = atomic_load(&t->key), *first = NULL;

		if (strcmp(t->group, group) != 0)
			continue;
		if (key || !(key = template_new(group)) ||
		    atomic_compare_exchange_strong(&t->key, &first, key))
			return key;
		EVP_PKEY_free(key);
		return first;
	}
	return NULL;
}

EVP_PKEY *ec_key_make(const char *group, struct span point)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	EVP_PKEY *template;

	if (point.len < 1 || point.bytes[0] != UNCOMPRESSED) /* OpenSSL would accept infinity */
		return NULL;
	if (!(template = template_of(group)) || !(key = EVP_PKEY_dup(template)) ||
	    EVP_PKEY_set1_encoded_public_key(key, point.bytes, point.len) != 1)
		return NULL;
	return TAKE_PTR(key);
}
