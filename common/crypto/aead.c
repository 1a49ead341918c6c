/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/aead.h"

#include "common/base/cleanup.h"
#include "common/crypto/key.h"

#include <stdbool.h>
#include <openssl/crypto.h>

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)

static EVP_CIPHER_CTX *begin(const uint8_t *key, const uint8_t *nonce, bool seals, struct err *e)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx && EVP_CipherInit_ex(ctx, EVP_chacha20_poly1305(), NULL, key, nonce, seals) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	err_openssl(e, ERR_INTERNAL, "ChaCha20-Poly1305");
	return NULL;
}

/* An update without bytes would end the message. */
static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, const void *bytes, size_t len)
{
	int made;

	if (len > INT32_MAX)
		return false;
	return !len ||
	       (EVP_CipherUpdate(ctx, out, &made, bytes, (int)len) == 1 && (size_t)made == len);
}

int aead_seal(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const void *aad,
	      size_t aad_len, const void *bytes, size_t len, uint8_t *sealed, struct err *e)
{
	CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = begin(key, nonce, true, e);
	int made;

	if (!ctx)
		return err_code(e);
	if (!update(ctx, NULL, aad, aad_len) || !update(ctx, sealed, bytes, len) ||
	    EVP_CipherFinal_ex(ctx, sealed + len, &made) != 1 || made != 0 ||
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, AEAD_TAG_LEN, sealed + len) != 1)
		return err_openssl(e, ERR_INTERNAL, "ChaCha20-Poly1305");
	return 0;
}

int aead_open(const uint8_t key[AEAD_KEY_LEN], const uint8_t nonce[AEAD_NONCE_LEN], const void *aad,
	      size_t aad_len, const void *sealed, size_t len, uint8_t *bytes, struct err *e)
{
	CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = begin(key, nonce, false, e);
	const size_t text = len - AEAD_TAG_LEN;
	const uint8_t *in = sealed;
	uint8_t none[AEAD_TAG_LEN], tag[AEAD_TAG_LEN];
	int made;

	if (!ctx)
		return err_code(e);
	for (size_t i = 0; i < AEAD_TAG_LEN; i++)
		tag[i] = in[text + i];
	if (update(ctx, NULL, aad, aad_len) && update(ctx, bytes, in, text) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, AEAD_TAG_LEN, tag) == 1 &&
	    EVP_CipherFinal_ex(ctx, none, &made) == 1 && made == 0)
		return 0;
	OPENSSL_cleanse(bytes, text);
	return err_openssl(e, ERR_DENIED,
			   "it was not sealed with this key, or was changed on its way");
}
