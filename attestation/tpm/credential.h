/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.h — credential activation (TPM 2.0 Library, part 1, 24): how an endorsement key (EK),
 * which can't sign, vouches for an attestation key (AK).
 *
 * A secret is encrypted to the EK and tied to the AK's name. A TPM recovers it only if it has both,
 * and the AK's name covers its attributes; so whoever returns the secret has the AK in the TPM of
 * that EK. What TPM2_MakeCredential computes is computed here in software, with the EK's public key
 * from its certificate. The symmetric algorithm and hash are those of the EK's template in the TCG
 * EK Credential Profile, which the key's kind and size name.
 */
#pragma once

#include "attestation/tpm/tpm_public.h"
#include "common/crypto/key.h"

enum {
	CREDENTIAL_SECRET_LEN = 32,
	CREDENTIAL_BLOB_MAX = 2 + SHA384_LEN + 2 + CREDENTIAL_SECRET_LEN,
	CREDENTIAL_ENCRYPTED_MAX = 512, /* RSA 4096 */
};

struct credential {
	uint8_t ek[SHA256_LEN]; /* of the EK's SPKI */
	uint8_t ak_name[TPM_NAME_MAX];
	size_t ak_name_len;
	uint8_t secret[CREDENTIAL_SECRET_LEN]; /* known to nobody else until a TPM recovers it */

	/* For the TPM: what TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET hold, without their sizes. */
	uint8_t blob[CREDENTIAL_BLOB_MAX], encrypted[CREDENTIAL_ENCRYPTED_MAX];
	size_t blob_len, encrypted_len;

	bool answered;
	uint8_t answer[CREDENTIAL_SECRET_LEN];
};

/* A fresh one for the TPMT_PUBLIC `ak`. The EK: RSA 2048, 3072, 4096, P-256 or P-384. */
int credential_make(EVP_PKEY *ek, struct span ak, struct credential *c, struct err *e) MUST_CHECK;

/* What the TPM recovered; of another length than a secret's it is INVALID. */
int credential_answer(struct credential *c, const void *bytes, size_t len,
		      struct err *e) MUST_CHECK;

/* 0 only if the credential was made for this EK and this AK, and answered with its secret. DENIED
 * says which it was not. */
int credential_check(const struct credential *c, const EVP_PKEY *ek, struct span ak,
		     struct err *e) MUST_CHECK;
