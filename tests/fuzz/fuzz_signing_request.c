/* SPDX-License-Identifier: Apache-2.0 */
/* Requests for certificates, as they come and signed again: whose name they may have, and nothing else. */
#include "computations/ca/signing_request.h"
#include "tests/fuzz/x509_resign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#define NAME "cvm-1"

/* Whatever is accepted asks for nothing but a certificate for its key. */
static void check_accepted(const uint8_t *bytes, size_t len, const EVP_PKEY *key)
{
	const uint8_t *at = bytes;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);

	assert(request && at == bytes + len && len <= SIGNING_REQUEST_MAX);
	assert(X509_REQ_get_attr_count(request) == 0);
	assert(X509_NAME_entry_count(X509_REQ_get_subject_name(request)) <= 1);
	assert(EVP_PKEY_eq(X509_REQ_get0_pubkey(request), key) == 1);
	assert(key_kind_of(key) != KEY_RSA || EVP_PKEY_get_bits(key) <= SIGNING_RSA_BITS_MAX);
	X509_REQ_free(request);
}

static void read_one(const uint8_t *bytes, size_t len)
{
	EVP_PKEY *key = NULL;
	struct err e;

	if (signing_request_read(bytes, len, NAME, &key, &e) < 0) {
		assert(!key && *e.text);
		return;
	}
	check_accepted(bytes, len, key);
	EVP_PKEY_free(key);
	/* Of nobody else, if it names somebody. */
	if (signing_request_read(bytes, len, "cvm-2", &key, &e) == 0)
		EVP_PKEY_free(key);
	else
		assert(e.code == ERR_INVALID);
}

/* By a key of this process, which then is the one that it asks for. */
static void read_again(const uint8_t *bytes, size_t len)
{
	const uint8_t *at = bytes;
	X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)len);
	uint8_t *der = NULL;
	int der_len;

	if (request && X509_REQ_set_pubkey(request, x509_test_key()) &&
	    X509_REQ_sign(request, x509_test_key(), EVP_sha256())) {
		der_len = i2d_X509_REQ(request, &der);
		if (der_len > 0)
			read_one(der, (size_t)der_len);
	}
	OPENSSL_free(der);
	X509_REQ_free(request);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	read_one(bytes, len);
	if (len <= 2 * SIGNING_REQUEST_MAX)
		read_again(bytes, len);
	return 0;
}
