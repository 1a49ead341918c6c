/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tpm_ak.h — a TPM's attestation key, what it signs, and who can vouch for it.
 *
 * The key is the platform's own where the TPM's NV has a certificate for one (a table of clouds);
 * else one is made in the endorsement hierarchy: ECC P-256, restricted, signing, fixed to this TPM;
 * new with each boot of the agent and in force until its end. Blocking; for the keeper.
 */
#pragma once

#include "attestation/provider/provider_tpm.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/base/writer.h"

enum {
	PROVIDER_TPM_ATTESTATION_MAX = 32 << 10,
	PROVIDER_TPM_CREDENTIAL_MAX = 1024, /* TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET */
	PROVIDER_TPM_SECRET_MAX = 64,
	PROVIDER_TPM_QUOTE_ATTEMPTS = 5, /* IMA may extend PCR10 between reading and quoting */
};

/* Quoted of each bank, SHA-256 and SHA-384: the firmware's 0 to 7, bootloader and kernel's 8 and 9
 * (the EFI stub's initrd and command line), IMA's 10, and the agent's 14 and 16. */
#define PROVIDER_TPM_QUOTED UINT32_C(0x147ff)

/* attest.Attestation of go-tpm-tools: AK, a quote for each bank with its values, AK certificate.
 * Without an event log. */
int provider_tpm_quote(struct provider_tpm *tpm, const uint8_t *nonce, size_t len,
		       struct writer *out, struct err *e) MUST_CHECK;

/* TPMT_PUBLIC of the AK; lives until provider_tpm_close(). */
int provider_tpm_ak_public(struct provider_tpm *tpm, struct writer *out, struct err *e) MUST_CHECK;
/* Its certificate, empty where the platform has none. */
struct span provider_tpm_ak_cert(const struct provider_tpm *tpm);

/* The endorsement key by the TCG's default template L-1 (RSA 2048), as TPMT_PUBLIC, and its
 * certificate from NV, empty where there is none. Asked of the TPM once, since making an RSA key takes
 * it seconds; lent until provider_tpm_close(). */
struct provider_tpm_ek {
	struct span public_area, cert;
};
int provider_tpm_ek(struct provider_tpm *tpm, struct provider_tpm_ek *ek, struct err *e) MUST_CHECK;

/* TPM2_ActivateCredential: the secret, if the blob was made for this AK's name and this EK. `blob`
 * and `secret` are the contents of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET. ERR_DENIED if it was
 * made for others. */
int provider_tpm_activate(struct provider_tpm *tpm, struct span blob, struct span secret,
			  uint8_t out[PROVIDER_TPM_SECRET_MAX], size_t *len,
			  struct err *e) MUST_CHECK;
