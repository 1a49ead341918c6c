/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in DER and PEM, names, AMD's extensions; and what is asked of one that its issuer
 * signed. */
#include "attestation/snp/snp_vcek.h"
#include "common/base/der.h"
#include "tests/fuzz/x509_resign.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Signed again it verifies under its issuer, and under nobody who is less than that. */
static void check_issuer(const struct x509 *cert)
{
	struct x509 issuer = x509_test_issuer(cert->issuer), less = issuer, own = *cert;
	uint8_t sig[SIGNATURE_MAX];
	struct err e;

	assert(x509_verify(cert, &issuer, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
	x509_resign(cert->tbs, &own.algorithm, &own.signature, sig);
	assert(x509_verify(&own, &issuer, X509_P256_SHA256, 5, &e) == 0);
	assert(x509_verify(&own, &issuer, X509_P384_SHA384, 5, &e) == -ERR_DENIED);
	less.is_ca = false;
	assert(x509_verify(&own, &less, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
	less = issuer;
	less.path_len = 0;
	assert(x509_verify(&own, &less, X509_P256_SHA256, 1, &e) == -ERR_DENIED);
	less = issuer;
	less.has_usage = true;
	assert(x509_verify(&own, &less, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
	less = issuer;
	less.subject.len--;
	assert(x509_verify(&own, &less, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
	/* By its own key the test's signature is wrong, whatever kind of key that is. */
	less = issuer;
	less.spki = cert->spki;
	less.key = NULL;
	assert(x509_verify(&own, &less, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
	assert(x509_verify(cert, &less, UINT32_MAX, 0, &e) == 0 ||
	       !span_equal(cert->issuer, cert->subject) || e.code == ERR_DENIED);
	EVP_PKEY_free(less.key);
	sig[own.signature.len - 1] ^= 1;
	assert(x509_verify(&own, &issuer, X509_P256_SHA256, 0, &e) == -ERR_DENIED);
}

static void check_times(const struct x509 *cert)
{
	const int64_t first = cert->not_before, last = cert->not_after;
	struct err e;

	if (first > last)
		return;
	assert(x509_valid_at(cert, first, &e) == 0 && x509_valid_at(cert, last, &e) == 0);
	assert(x509_valid_at(cert, first - 1, &e) == -ERR_DENIED);
	assert(x509_valid_at(cert, last + 1, &e) == -ERR_DENIED);
	assert(x509_moment(first - 1, 1, first, last) == first);
	assert(x509_moment(last + 1, 1, first, last) == last);
	assert(x509_moment(last + 2, 1, first, last) == last + 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct x509_chain chain = { 0 };
	struct x509 *cert = NULL;
	struct snp_vcek vcek;
	char name[64];
	struct err e;

	if (x509_chain_from_pem(bytes, len, &chain, &e) == 0)
		x509_chain_done(&chain);
	if (x509_load(bytes, len, &cert, &e) < 0)
		return 0;
	/* What was accepted is DER, and is within its copy. */
	if (der_check(cert->der, cert->len, &e) < 0 || cert->tbs.bytes < cert->der ||
	    cert->signature.bytes + cert->signature.len != cert->der + cert->len)
		__builtin_trap();
	if (x509_common_name(cert->subject, name, sizeof(name), &e) == 0)
		assert(x509_name_has(cert->subject, name));
	(void)x509_name_has(cert->issuer, "Nobody");
	(void)!x509_nothing_unjudged(cert, &e);
	check_issuer(cert);
	check_times(cert);
	(void)!snp_vcek_read(cert, &vcek, &e);
	(void)!x509_verify(cert, cert, X509_RSA4096_PSS_SHA384 | X509_P256_SHA256, 0, &e);
	x509_free(cert);
	return 0;
}
