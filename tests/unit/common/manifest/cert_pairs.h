/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cert_pairs.h — two keys with certificates that they signed themselves, for tests of agent
 * configurations.
 */
#pragma once

#include "common/crypto/key.h"
#include "tests/self_signed.h"
#include "tests/unit.h"

static struct pair {
	EVP_PKEY *key;
	X509 *cert;
	char *cert_pem, *key_pem;
} ours, other;

static inline void make_pair(struct pair *p)
{
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &p->key, &e), e);
	p->cert = self_signed(p->key, "x", NULL, 0);
	p->cert_pem = self_signed_pem(p->cert);
	assert_non_null(p->cert_pem);
	assert_ok(key_to_private_pem(p->key, &p->key_pem, &e), e);
}

static inline int setup(void **state)
{
	make_pair(&ours);
	make_pair(&other);
	return 0;
}

static inline void free_pair(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	free(p->cert_pem);
	free(p->key_pem);
}

static inline int teardown(void **state)
{
	free_pair(&ours);
	free_pair(&other);
	return 0;
}

/* Of another time: seconds from now. */
static inline char *dated(EVP_PKEY *key, long from, long to)
{
	CLEANUP(X509_free) X509 *cert = self_signed(key, "x", NULL, 0);

	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), from));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), to));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	return self_signed_pem(cert);
}
