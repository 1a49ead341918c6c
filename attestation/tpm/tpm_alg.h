/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_alg.h — numbers of algorithms (TCG Algorithm Registry 1.34, TPM_ALG_ID), and the sized buffer
 * that all TPM structures are made of.
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"

#include <stdbool.h>

enum tpm_alg {
	TPM_ALG_RSA = 0x0001,
	TPM_ALG_SHA1 = 0x0004,
	TPM_ALG_SHA256 = 0x000b,
	TPM_ALG_SHA384 = 0x000c,
	TPM_ALG_SHA512 = 0x000d,
	TPM_ALG_NULL = 0x0010,
	TPM_ALG_RSASSA = 0x0014,
	TPM_ALG_RSAPSS = 0x0016,
	TPM_ALG_ECDSA = 0x0018,
	TPM_ALG_ECC = 0x0023,
};

/* The digest of SHA-1, SHA-256, SHA-384 or SHA-512; false for any other number. */
bool tpm_alg_digest(uint16_t alg, enum digest_kind *kind);
/* A bank's name in policies and vectors: "sha256". */
const char *tpm_bank_name(enum digest_kind kind);
bool tpm_bank_parse(const char *name, enum digest_kind *kind);

/* TPM2B_*: a 16-bit count and that many bytes. */
struct span tpm_sized(struct reader *r);
