/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_parts.h — what a list is made of. For crl.c and crl_verify.c only.
 */
#pragma once

#include "common/crypto/crl.h"

/* A serial number: where it is in the list's bytes. */
struct crl_entry {
	uint32_t at, len;
};

struct crl {
	uint8_t *der;
	size_t len;
	struct span tbs, algorithm, signature, number; /* number: empty if there is none */
	X509_NAME *issuer;
	char text[CRL_NAME_TEXT_MAX]; /* the issuer */
	uint64_t version;             /* 0 is v1 */
	int64_t from, until;
	struct crl_entry *entries; /* sorted */
	size_t count;
	X509 *signer;
};
