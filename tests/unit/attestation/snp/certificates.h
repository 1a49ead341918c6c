/* SPDX-License-Identifier: Apache-2.0 */
/* certificates.h — certificates of our own making, loaded; one forge in a program. */
#pragma once

#include "attestation/formats/x509.h"
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

static struct forge f;

static inline int prepare(void **state)
{
	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
	return 0;
}

static inline struct x509 *load(struct span der)
{
	struct x509 *cert = NULL;
	struct err e;

	assert_ok(x509_load(der.bytes, der.len, &cert, &e), e);
	return cert;
}

static inline struct x509 *make(const struct forge_cert *want)
{
	uint8_t der[FORGE_CERT_MAX];
	size_t len = forge_make(want, der);

	return load((struct span){ der, len });
}
