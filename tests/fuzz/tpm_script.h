/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_script.h — what is asked of a TPM by a fuzz target, and by what records answers for it: the same calls in
 * the same order, chosen by the bits of a byte.
 */
#pragma once

#include "attestation/provider/provider_tpm_ak.h"

#include <string.h>

enum {
	TPM_EXTENDS = 1,
	TPM_RESETS = 2,
	TPM_QUOTES = 4,
	TPM_TELLS_EK = 8,
	TPM_ACTIVATES = 16,
	TPM_CHECKS = 32,
	TPM_SCRIPT_NONCE = 32,
	TPM_SCRIPT_MAX = 65536,
};

/* A credential for both keys; NULL: some bytes. */
typedef int tpm_script_credential(struct provider_tpm *tpm, struct writer *blob,
				  struct writer *secret, struct err *e);

static inline int tpm_script_activate(struct provider_tpm *tpm, tpm_script_credential *make,
				      struct err *e)
{
	CLEANUP_WRITER struct writer blob = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	CLEANUP_WRITER struct writer secret = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	uint8_t out[PROVIDER_TPM_SECRET_MAX];
	size_t len = 0;

	if (make && make(tpm, &blob, &secret, e) < 0)
		return err_code(e);
	if (!make) {
		writer_zeros(&blob, 64);
		writer_zeros(&secret, 256);
	}
	if (provider_tpm_activate(tpm, (struct span){ blob.bytes, blob.len },
				  (struct span){ secret.bytes, secret.len }, out, &len, e) < 0)
		return err_code(e);
	return len <= sizeof(out) ? 0 : err_set(e, ERR_INTERNAL, "a secret of %zu bytes", len);
}

/* How many of the calls went well. */
static inline int tpm_script_run(uint8_t calls, const char *tcti, tpm_script_credential *make,
				 struct err *e)
{
	const struct provider_tpm_options options = { .tcti = tcti,
						      .registers = UINT32_C(1) << 14 };
	CLEANUP_WRITER struct writer quoted = writer_up_to(TPM_SCRIPT_MAX);
	static const uint8_t nonce[TPM_SCRIPT_NONCE] = { 'n' };
	const struct provider_digests digests = { .sha256 = { 1 }, .sha384 = { 2 } };
	CLEANUP(provider_tpm_close) struct provider_tpm *tpm = NULL;
	struct provider_tpm_ek ek;
	int well = 0;

	if (provider_tpm_open(&options, &tpm, e) < 0)
		return 0;
	well++;
	if (calls & TPM_EXTENDS)
		well += provider_tpm_extend(tpm, 14, &digests, e) == 0;
	if (calls & TPM_RESETS)
		well += provider_tpm_reset(tpm, 16, e) == 0;
	if (calls & TPM_QUOTES)
		well += provider_tpm_quote(tpm, nonce, sizeof(nonce), &quoted, e) == 0;
	if (calls & TPM_TELLS_EK)
		well += provider_tpm_ek(tpm, &ek, e) == 0;
	if (calls & TPM_ACTIVATES)
		well += tpm_script_activate(tpm, make, e) == 0;
	if (calls & TPM_CHECKS)
		well += provider_tpm_check(tpm, e) == 0;
	return well;
}
