/* SPDX-License-Identifier: Apache-2.0 */
/* A file of revocation lists, and what is asked of them once an authority of their issuers' names has signed each. */
#include "common/crypto/crl_parts.h"
#include "common/crypto/crl_set.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static EVP_PKEY *key(void)
{
	static EVP_PKEY *one;

	if (!one)
		one = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert(one);
	return one;
}

/* Whom the list says it is of, with our key. */
static X509 *cert_of(const X509_NAME *name)
{
	X509 *cert = X509_new();

	assert(cert && X509_set_subject_name(cert, name) == 1 &&
	       X509_set_issuer_name(cert, name) == 1 && X509_set_pubkey(cert, key()) == 1);
	/* OpenSSL asks nothing of one that is not signed, not even what it may do. */
	assert(X509_gmtime_adj(X509_getm_notBefore(cert), 0) &&
	       X509_gmtime_adj(X509_getm_notAfter(cert), 60) &&
	       X509_sign(cert, key(), EVP_sha256()) > 0);
	return cert;
}

/* What is inside gets past the check of the signature. */
static void sign(struct crl *crl)
{
	static const uint8_t p256_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	static uint8_t sig[CRL_FILE_LISTS_MAX][SIGNATURE_MAX];
	static size_t next;
	uint8_t *here = sig[next++ % CRL_FILE_LISTS_MAX];
	size_t len = SIGNATURE_MAX;

	assert(md && EVP_DigestSignInit_ex(md, NULL, "SHA256", NULL, NULL, key(), NULL) == 1);
	assert(EVP_DigestSign(md, here, &len, crl->tbs.bytes, crl->tbs.len) == 1);
	EVP_MD_CTX_free(md);
	crl->algorithm = (struct span){ p256_sha256, sizeof(p256_sha256) };
	crl->signature = (struct span){ here, len };
}

/* Each by itself: sorted, and what it names is found. */
static void check_list(const struct crl *crl)
{
	X509 *cert = cert_of(crl->issuer);

	assert(crl->until >= crl->from && crl->count <= CRL_ENTRIES_MAX && *crl->text);
	for (size_t i = 0; i < crl->count && i < 8; i++) {
		const unsigned char *at = crl->der + crl->entries[i].at;
		ASN1_STRING *serial = X509_get_serialNumber(cert);
		BIGNUM *n = BN_bin2bn(at, (int)crl->entries[i].len, NULL);

		/* A negative one has no form that BN_to_ASN1_INTEGER() takes from these bytes. */
		if (n && *at < 0x80) {
			assert(BN_to_ASN1_INTEGER(n, serial));
			assert(crl_names(crl, cert));
		}
		BN_free(n);
	}
	X509_free(cert);
}

static void check_chain(struct crl_set *set, X509 *authority, int64_t now)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	struct crl *list = crl_set_find(set, authority);
	X509 *leaf = cert_of(X509_get_subject_name(authority));
	struct crl_judged j;

	assert(list && chain && sk_X509_push(chain, leaf) && sk_X509_push(chain, authority));
	ASN1_INTEGER_set(X509_get_serialNumber(leaf), 1);
	j = crl_set_judge(set, chain, now, true);
	assert((j.outcome == CRL_REVOKED) == crl_names(list, leaf));
	assert(j.outcome == CRL_GOOD || (*j.why && *j.serial));
	assert(j.outcome != CRL_GOOD || crl_next_update(list) >= now);
	sk_X509_free(chain);
	X509_free(leaf);
}

static int read_signed(const uint8_t *bytes, size_t len, struct crl_set *set)
{
	struct err e;

	if (crl_set_read(bytes, len, set, &e) < 0)
		return -1;
	for (size_t i = 0; i < set->count; i++) {
		check_list(set->lists[i]);
		sign(set->lists[i]);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct crl_set set CLEANUP_CRL_SET = { .count = 0 }, fresh CLEANUP_CRL_SET = { .count = 0 };
	STACK_OF(X509) * authorities;
	int64_t now = 0;
	size_t older, count;
	struct err e;

	if (read_signed(bytes, len, &set) < 0)
		return 0;
	authorities = sk_X509_new_null();
	for (size_t i = 0; i < set.count; i++)
		assert(sk_X509_push(authorities, cert_of(set.lists[i]->issuer)));
	now = crl_this_update(set.lists[0]);
	if (crl_set_verify(&set, authorities, NULL, now, &e) == 0) {
		count = set.count;
		for (size_t i = 0; i < count; i++) {
			assert(crl_signer(set.lists[i]));
			check_chain(&set, sk_X509_value(authorities, (int)i), now);
		}
		/* The same file again is nothing new. */
		assert(read_signed(bytes, len, &fresh) == 0);
		assert(crl_set_verify(&fresh, NULL, authorities, now, &e) == 0);
		assert(crl_set_renew(&set, &fresh, now, &older, &e) == 0);
		assert(!older && !fresh.count && set.count == count);
	}
	sk_X509_pop_free(authorities, X509_free);
	return 0;
}
