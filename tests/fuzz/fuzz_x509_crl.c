/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists, and what is asked of one that its issuer signed. */
#include "attestation/formats/x509_crl.h"
#include "common/base/der.h"
#include "tests/fuzz/x509_resign.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Signed again it is its issuer's while it is current, and nobody else's. */
static void check_issuer(struct x509_crl *crl)
{
	struct x509 issuer = x509_test_issuer(crl->issuer), less = issuer;
	const int64_t first = crl->this_update, last = crl->next_update;
	uint8_t sig[SIGNATURE_MAX];
	struct err e;

	assert(x509_crl_verify_known(crl, &issuer, X509_P256_SHA256, first, NULL, &e) ==
	       -ERR_DENIED);
	x509_resign(crl->tbs, &crl->algorithm, &crl->signature, sig);
	assert(x509_crl_verify_known(crl, &issuer, X509_P256_SHA256, first - 1, NULL, &e) ==
	       -ERR_DENIED);
	assert(x509_crl_verify_known(crl, &issuer, X509_P256_SHA256, last + 1, NULL, &e) ==
	       -ERR_DENIED);
	assert(first > last ||
	       x509_crl_verify_known(crl, &issuer, X509_P256_SHA256, last, NULL, &e) == 0);
	less.has_usage = true;
	assert(x509_crl_verify_known(crl, &less, X509_P256_SHA256, last, NULL, &e) == -ERR_DENIED);
	less = issuer;
	less.subject.len--;
	assert(x509_crl_verify_known(crl, &less, X509_P256_SHA256, last, NULL, &e) == -ERR_DENIED);
}

/* The first serial number in the list is revoked. */
static void check_entries(const struct x509_crl *crl)
{
	struct reader list = span_reader(crl->revoked), one = der_enter(&list, DER_SEQUENCE);
	struct x509 cert = { .issuer = crl->issuer };
	struct err e;

	/* No certificate has an empty one; walking all finds them as well-formed as before. */
	if (x509_crl_check(crl, &cert, &e) < 0)
		__builtin_trap();
	cert.issuer.len--;
	assert(x509_crl_check(crl, &cert, &e) == -ERR_INVALID);
	cert.issuer = crl->issuer;
	cert.serial = der_body(&one, DER_INTEGER);
	assert(x509_crl_check(crl, &cert, &e) == (crl->revoked_count ? -ERR_DENIED : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct x509_crl *crl = NULL;
	struct err e;

	if (x509_crl_load(bytes, len, &crl, &e) < 0)
		return 0;
	check_entries(crl);
	check_issuer(crl);
	x509_crl_free(crl);
	return 0;
}
