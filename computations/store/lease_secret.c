/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/lease_secret.h"

#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "computations/store/store_witness.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

enum { SCALAR_LEN = 32 /* of P-256 */ };

/* What is signed with that key is a hash, and none is made like this. */
#define WORDS "cocos: instances pass callers on by lease "

static int read_scalar(const char *dir, uint8_t scalar[SCALAR_LEN], struct err *e)
{
	CLEANUP(free) char *path = NULL, *pem = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	BIGNUM *number = NULL;
	int failed;

	if (text_format(&path, e, "%s/" STORE_WITNESS_FILE, dir) < 0 ||
	    file_read_text(path, PEM_MAX, &pem, e) < 0)
		return err_code(e);
	failed = key_from_private_pem(pem, strlen(pem), NULL, NULL, &key, e);
	OPENSSL_cleanse(pem, strlen(pem));
	if (failed)
		return err_wrap(e, "'%s'", path);
	if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &number) != 1 ||
	    BN_bn2binpad(number, scalar, SCALAR_LEN) != SCALAR_LEN)
		failed =
			err_openssl(e, ERR_INVALID, "'%s': the log's key has to be of P-256", path);
	BN_clear_free(number);
	return failed;
}

int lease_secret(const char *dir, int64_t fence, const uint8_t row[RELAY_SECRET_LEN],
		 uint8_t secret[RELAY_SECRET_LEN], struct err *e)
{
	uint8_t scalar[SCALAR_LEN], text[RELAY_SECRET_LEN + 96];
	int failed, len;

	if (read_scalar(dir, scalar, e) < 0)
		return err_code(e);
	memcpy(text, row, RELAY_SECRET_LEN);
	len = snprintf((char *)text + RELAY_SECRET_LEN, sizeof(text) - RELAY_SECRET_LEN,
		       WORDS "%" PRId64, fence);
	failed = hmac(DIGEST_SHA256, scalar, sizeof(scalar), text, RELAY_SECRET_LEN + (size_t)len,
		      secret, e);
	OPENSSL_cleanse(scalar, sizeof(scalar));
	OPENSSL_cleanse(text, sizeof(text));
	return failed;
}
