/* SPDX-License-Identifier: Apache-2.0 */
/* Certificate revocation lists. */
#include "attestation/formats/x509_crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct x509 self = { 0 };
	struct x509_crl *crl = NULL;
	struct err e;

	if (x509_crl_load(bytes, len, &crl, &e) < 0)
		return 0;
	/* Walking it again finds it as well-formed as before. */
	self.issuer = crl->issuer;
	if (x509_crl_check(crl, &self, &e) < 0)
		__builtin_trap();
	x509_crl_free(crl);
	return 0;
}
