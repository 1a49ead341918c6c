/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/keyed_hash.h"

#include "common/base/cleanup.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

struct keyed_hash {
	EVP_MAC_CTX *mac;
	uint8_t key[KEYED_HASH_KEY_LEN];
};

void keyed_hash_free(struct keyed_hash *hash)
{
	if (!hash)
		return;
	EVP_MAC_CTX_free(hash->mac);
	OPENSSL_cleanse(hash->key, sizeof(hash->key));
	free(hash);
}

static EVP_MAC_CTX *open_mac(void)
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "SIPHASH", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	size_t len = sizeof(uint64_t);
	const OSSL_PARAM size[] = { OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &len),
				    OSSL_PARAM_construct_end() };

	EVP_MAC_free(mac); /* the context holds it */
	if (ctx && EVP_MAC_CTX_set_params(ctx, size) != 1) {
		EVP_MAC_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

struct keyed_hash *keyed_hash_new(const uint8_t *key, struct err *e)
{
	struct keyed_hash *hash = calloc(1, sizeof(*hash));

	if (!hash) {
		err_nomem(e);
		return NULL;
	}
	if (key)
		memcpy(hash->key, key, sizeof(hash->key));
	else if (random_bytes(hash->key, sizeof(hash->key), e) < 0)
		goto failed;
	hash->mac = open_mac();
	if (hash->mac)
		return hash;
	err_openssl(e, ERR_INTERNAL, "SipHash");
failed:
	keyed_hash_free(hash);
	return NULL;
}

int keyed_hash_of(struct keyed_hash *hash, const void *bytes, size_t len, uint64_t *value,
		  struct err *e)
{
	uint8_t out[sizeof(*value)];
	size_t out_len;

	if (EVP_MAC_init(hash->mac, hash->key, sizeof(hash->key), NULL) != 1 ||
	    EVP_MAC_update(hash->mac, bytes, len) != 1 ||
	    EVP_MAC_final(hash->mac, out, &out_len, sizeof(out)) != 1 || out_len != sizeof(out))
		return err_openssl(e, ERR_INTERNAL, "SipHash");
	*value = 0;
	for (size_t i = sizeof(out); i-- > 0;) /* little-endian, as its authors have it */
		*value = *value << 8 | out[i];
	return 0;
}
