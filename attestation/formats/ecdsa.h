/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ecdsa.h — ECDSA signatures and keys in the raw forms of TEEs: bare coordinates, bare r and s.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"

enum ecdsa_curve { ECDSA_P256, ECDSA_P384 };

/* The digests that evidence is signed with: SHA-2 of 256 bits or more; NULL for others. */
const EVP_MD *ecdsa_md(enum digest_kind kind);

/* Bytes of one coordinate, and of one of r and s: 32 or 48. */
size_t ecdsa_len(enum ecdsa_curve curve);

/* x ‖ y, big-endian. A point that is not on the curve, or infinity, is refused. */
int ecdsa_key(enum ecdsa_curve curve, struct span point, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* `signature` is r ‖ s, big-endian, of twice ecdsa_len() bytes, both from 1 to n − 1. 0 only if it
 * holds over the digest of `bytes`; ERR_DENIED if not. */
int ecdsa_verify(EVP_PKEY *key, enum ecdsa_curve curve, enum digest_kind kind, struct span bytes,
		 struct span signature, struct err *e) MUST_CHECK;
