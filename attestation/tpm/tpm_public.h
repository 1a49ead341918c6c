/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_public.h — the public area of a TPM key, TPMT_PUBLIC (TPM 2.0 Library, part 2, 12.2.4), as far
 * as attestation keys need it.
 */
#pragma once

#include "attestation/tpm/tpm_alg.h"
#include "common/base/err.h"
#include "common/base/span.h"

#include <openssl/evp.h>

enum { TPM_PUBLIC_MAX = 2048, TPM_RSA_MAX = 512, TPM_ECC_MAX = 48, TPM_NAME_MAX = 2 + DIGEST_MAX };

/* TPMA_OBJECT, part 2, 8.3. */
#define TPM_ATTR_FIXED_TPM             (UINT32_C(1) << 1)
#define TPM_ATTR_ST_CLEAR              (UINT32_C(1) << 2)
#define TPM_ATTR_FIXED_PARENT          (UINT32_C(1) << 4)
#define TPM_ATTR_SENSITIVE_DATA_ORIGIN (UINT32_C(1) << 5)
#define TPM_ATTR_USER_WITH_AUTH        (UINT32_C(1) << 6)
#define TPM_ATTR_ADMIN_WITH_POLICY     (UINT32_C(1) << 7)
#define TPM_ATTR_NO_DA                 (UINT32_C(1) << 10)
#define TPM_ATTR_ENCRYPTED_DUPLICATION (UINT32_C(1) << 11)
#define TPM_ATTR_RESTRICTED            (UINT32_C(1) << 16)
#define TPM_ATTR_DECRYPT               (UINT32_C(1) << 17)
#define TPM_ATTR_SIGN                  (UINT32_C(1) << 18)

/* Spans point into the bytes that were parsed. */
struct tpm_public {
	struct span bytes; /* the whole area */
	uint16_t type;     /* TPM_ALG_RSA or TPM_ALG_ECC */
	uint16_t name_alg;
	uint32_t attributes;
	struct span auth_policy;
	uint16_t symmetric;           /* TPM_ALG_NULL of a signing key */
	uint16_t scheme, scheme_hash; /* hash 0 for schemes without */
	uint16_t rsa_bits;
	uint32_t rsa_exponent; /* 0 means 65537 */
	uint16_t curve;
	struct span n, x, y;
};

/* A bare TPMT_PUBLIC, without the size before it; nothing may follow. */
int tpm_public_parse(struct span bytes, struct tpm_public *pub, struct err *e) MUST_CHECK;

/* The key: RSA of 2048 bits or more with exponent 65537, or a point on P-256 or P-384. */
int tpm_public_key(const struct tpm_public *pub, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* An attestation key: fixedTPM, fixedParent, sensitiveDataOrigin, restricted, sign, not decrypt, no
 * reserved bit, symmetric NULL, a scheme of its own with a hash of SHA-256 or better. The last is
 * what keeps a TPM from signing a quote that somebody made up. */
int tpm_public_check_ak(const struct tpm_public *pub, struct err *e) MUST_CHECK;

/* nameAlg ‖ digest of the area (part 1, 16). */
int tpm_public_name(const struct tpm_public *pub, uint8_t name[TPM_NAME_MAX], size_t *len,
		    struct err *e) MUST_CHECK;
