/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of the TPM beside evidence: IMA's log, and who vouches for the attestation key. */
#include "agent/keeper/keeper_state.h"
#include "attestation/provider/provider_tpm_ak.h"
#include "common/base/file.h"

#include <string.h>

enum { IMA_PCR = 10, IMA_ATTEMPTS = 5 };

static int need_tpm(struct keeper_state *state, struct err *e)
{
	if (keeper_need_platform(state, e) < 0)
		return err_code(e);
	return state->tpm ? 0 : err_set(e, ERR_UNAVAILABLE, "this machine has no TPM");
}

/* The log that came to the register: nothing was added between two readings of it. */
static int read_ima(struct keeper_state *state, const char *path, uint8_t **log, size_t *len,
		    struct provider_digests *pcr10, struct err *e)
{
	for (int i = 0; i < IMA_ATTEMPTS; i++) {
		struct provider_digests before;

		if (provider_tpm_read(state->tpm, IMA_PCR, &before, e) < 0 ||
		    file_read(path, KEEPER_IMA_MAX, log, len, e) < 0)
			return err_code(e);
		if (provider_tpm_read(state->tpm, IMA_PCR, pcr10, e) < 0) {
			free(TAKE_PTR(*log));
			return err_code(e);
		}
		if (memcmp(&before, pcr10, sizeof(before)) == 0)
			return 0;
		free(TAKE_PTR(*log));
	}
	return err_set(e, ERR_UNAVAILABLE, "IMA measures faster than its log is read");
}

int keeper_answer_ima(struct keeper_state *state, const struct keeper_row *row, struct reader *in,
		      struct writer *out, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *log = NULL;
	struct provider_digests pcr10;
	size_t len = 0;

	if (need_tpm(state, e) < 0)
		return err_code(e);
	if (!state->securityfs && (state->tcti || state->development))
		return err_set(e, ERR_UNAVAILABLE,
			       "a TPM that was named has no IMA log of this kernel's");
	if (text_format(&path, e, "%s/ima/binary_runtime_measurements",
			state->securityfs ? state->securityfs : "/sys/kernel/security") < 0)
		return err_code(e);
	if (read_ima(state, path, &log, &len, &pcr10, e) < 0)
		return err_wrap(e, "IMA");
	keeper_put_part(out, log, len);
	keeper_put_part(out, pcr10.sha256, sizeof(pcr10.sha256));
	return 0;
}

int keeper_answer_endorsement(struct keeper_state *state, const struct keeper_row *row,
			      struct reader *in, struct writer *out, struct err *e)
{
	CLEANUP_WRITER struct writer ak = writer_up_to(PROVIDER_TPM_CREDENTIAL_MAX);
	struct provider_tpm_ek ek;

	if (need_tpm(state, e) < 0 || provider_tpm_ak_public(state->tpm, &ak, e) < 0 ||
	    provider_tpm_ek(state->tpm, &ek, e) < 0)
		return err_code(e);
	const struct span cert = provider_tpm_ak_cert(state->tpm);
	keeper_put_part(out, ak.bytes, ak.len);
	keeper_put_part(out, cert.bytes, cert.len);
	keeper_put_part(out, ek.public_area.bytes, ek.public_area.len);
	keeper_put_part(out, ek.cert.bytes, ek.cert.len);
	return 0;
}

int keeper_answer_activate(struct keeper_state *state, const struct keeper_row *row,
			   struct reader *in, struct writer *out, struct err *e)
{
	uint8_t bytes[PROVIDER_TPM_SECRET_MAX];
	struct span blob, secret;
	size_t len;

	len = reader_be16(in);
	blob = span_take(in, len);
	len = reader_be16(in);
	secret = span_take(in, len);
	if (!reader_done(in))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (need_tpm(state, e) < 0 ||
	    provider_tpm_activate(state->tpm, blob, secret, bytes, &len, e) < 0)
		return err_code(e);
	keeper_put_part(out, bytes, len);
	return 0;
}
