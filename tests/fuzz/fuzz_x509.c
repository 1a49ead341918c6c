/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in DER and PEM, names, and AMD's extensions. */
#include "attestation/formats/der.h"
#include "attestation/formats/x509.h"
#include "attestation/snp/snp_vcek.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
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
	(void)!x509_common_name(cert->subject, name, sizeof(name), &e);
	(void)!snp_vcek_read(cert, &vcek, &e);
	(void)!x509_verify(cert, cert, X509_RSA4096_PSS_SHA384 | X509_P256_SHA256, 0, &e);
	x509_free(cert);
	return 0;
}
