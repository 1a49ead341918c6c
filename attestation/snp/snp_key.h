/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_key.h — ECDSA on P-384 with SHA-384 in AMD's byte order (56860, chapter 10, tables 139 to
 * 141): numbers little-endian in 72 bytes each.
 *
 * For report signatures, and for the keys and signatures of ID blocks.
 */
#pragma once

#include "attestation/snp/snp_report.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

enum {
	SNP_PART_ROOM = 72,
	SNP_SIGNATURE_LEN = 512,    /* r, s, zeros */
	SNP_PUBLIC_KEY_LEN = 0x404, /* curve, x, y, zeros */
	SNP_CURVE_P384 = 2,
};

/* The signature of `content` by a P-384 key; ERR_DENIED if it does not hold. `r` and `s` have
 * SNP_SIGNATURE_PART_LEN bytes. */
int snp_key_verify(EVP_PKEY *key, struct span content, const uint8_t *r, const uint8_t *s,
		   struct err *e) MUST_CHECK;

/* The same with the whole structure of SNP_SIGNATURE_LEN bytes, whose rest has to be zero. */
int snp_key_verify_block(EVP_PKEY *key, struct span content, const uint8_t *block,
			 struct err *e) MUST_CHECK;

/* Makes that structure. */
int snp_key_sign_block(EVP_PKEY *key, struct span content, uint8_t block[SNP_SIGNATURE_LEN],
		       struct err *e) MUST_CHECK;

/* A public key structure of SNP_PUBLIC_KEY_LEN bytes, read (curve P-384, rest zero, a point on the
 * curve) and written. */
int snp_key_read(const uint8_t *block, EVP_PKEY **key, struct err *e) MUST_CHECK;
int snp_key_write(const EVP_PKEY *key, uint8_t block[SNP_PUBLIC_KEY_LEN], struct err *e) MUST_CHECK;

/* Whether a key is on P-384. */
bool snp_key_is_p384(const EVP_PKEY *key);
