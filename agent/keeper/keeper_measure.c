/* SPDX-License-Identifier: Apache-2.0 */
/* Events into registers, in the order of trust, and the log of them. */
#include "agent/keeper/keeper_state.h"
#include "attestation/provider/provider_rtmr.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <string.h>

static void log_add(struct keeper_state *state, uint32_t pcr, enum keeper_event event,
		    const struct provider_digests *digests)
{
	struct keeper_log_entry *entry = &state->log[state->count++];

	entry->pcr = pcr;
	entry->event = event;
	memcpy(entry->sha256_bank, digests->sha256, sizeof(entry->sha256_bank));
	memcpy(entry->sha384_bank, digests->sha384, sizeof(entry->sha384_bank));
}

/* Nobody else may have written there: the log starts with the register's zero. */
static int expect_untouched(struct keeper_state *state, struct err *e)
{
	const struct provider_digests zeros = { 0 };
	struct provider_digests now;
	uint8_t rtmr[RTMR_LEN];

	if (state->tpm && provider_tpm_read(state->tpm, KEEPER_PCR_EVENTS, &now, e) < 0)
		return err_code(e);
	if (state->tpm && memcmp(&now, &zeros, sizeof(now)) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "TPM: PCR%d is not zero, so something has been measured into it "
			       "since the machine started: restart the machine",
			       KEEPER_PCR_EVENTS);
	if (!state->has_rtmr)
		return 0;
	if (rtmr_read(state->options.paths.measurements, rtmr, e) < 0)
		return err_code(e);
	if (memcmp(rtmr, zeros.sha384, sizeof(rtmr)) != 0)
		return err_set(e, ERR_PRECONDITION,
			       "RTMR3 is not zero, so something has been measured into it since "
			       "the machine started: restart the machine");
	return 0;
}

/* For the console: what the register holds now, as the TPM reads it back. */
static void tell_register(struct keeper_state *state, uint32_t pcr)
{
	struct provider_digests now;
	char sha256[2 * sizeof(now.sha256) + 1], sha384[2 * sizeof(now.sha384) + 1];
	struct err e;

	if (provider_tpm_read(state->tpm, pcr, &now, &e) < 0) {
		log_error("%s", e.text);
		return;
	}
	hex_encode(now.sha256, sizeof(now.sha256), sha256);
	hex_encode(now.sha384, sizeof(now.sha384), sha384);
	log_info("PCR%u reads sha256:%s sha384:%s", pcr, sha256, sha384);
}

static int into_registers(struct keeper_state *state, enum keeper_event event,
			  const struct provider_digests *digests, struct err *e)
{
	if (state->has_rtmr &&
	    rtmr_extend(state->options.paths.measurements, digests->sha384, e) < 0)
		return err_code(e);
	if (state->tpm && provider_tpm_extend(state->tpm, KEEPER_PCR_EVENTS, digests, e) < 0)
		return err_code(e);
	log_add(state, KEEPER_PCR_EVENTS, event, digests);
	if (event != KEEPER_EVENT_MANIFEST || !state->tpm)
		return 0;
	/* It stands for this manifest alone, whatever ran before: policies expect it from zero. */
	if (provider_tpm_reset(state->tpm, KEEPER_PCR_MANIFEST, e) < 0 ||
	    provider_tpm_extend(state->tpm, KEEPER_PCR_MANIFEST, digests, e) < 0)
		return err_code(e);
	log_add(state, KEEPER_PCR_MANIFEST, event, digests);
	tell_register(state, KEEPER_PCR_MANIFEST);
	return 0;
}

/* What the launch fixed. A report that is made to read it has report data of no form, and nobody gets
 * to see it. Zero means that nothing was fixed; what can't be read is not called fixed. */
static int compare_with_launch(struct keeper_state *state, const struct provider_digests *boot,
			       struct err *e)
{
	static const char label[] = "cocos-launch-v1"; /* its final zero belongs to it */
	uint8_t report_data[BINDING_REPORT_DATA_LEN];
	struct provider_launch launch = { .len = 0 };

	if (!state->tee)
		return 0;
	if (digest(DIGEST_SHA512, label, sizeof(label), report_data, e) < 0 ||
	    state->tee->launch(&state->options, report_data, &launch, e) < 0)
		return err_wrap(e, "what the launch fixed");
	if (launch.len == 0)
		log_warn(
			"this kernel does not show what the launch fixed: nothing counts as fixed");
	if (bytes_are(launch.bytes, launch.len, 0))
		return 0;
	const uint8_t *wanted = launch.len == sizeof(boot->sha256) ? boot->sha256 : boot->sha384;
	if (memcmp(launch.bytes, wanted, launch.len) != 0)
		return err_set(
			e, ERR_DENIED,
			"the boot configuration is not the one that was fixed at launch (%s)",
			state->tee->platform == EVIDENCE_TDX ? "MRCONFIGID" : "HOST_DATA");
	state->fixed = true;
	return 0;
}

static int measure(struct keeper_state *state, enum keeper_event event,
		   const struct provider_digests *digests, struct err *e)
{
	if (state->broken.code) {
		*e = state->broken;
		return err_wrap(e, "the TPM has failed before");
	}
	if (state->count + 2 > KEEPER_EVENTS_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "keeper: the event log is full (%d entries): "
			       "restart the machine",
			       KEEPER_EVENTS_MAX);
	if (state->tpm && provider_tpm_check(state->tpm, e) < 0)
		return err_code(e);
	if (event == KEEPER_EVENT_BOOT &&
	    (expect_untouched(state, e) < 0 || compare_with_launch(state, digests, e) < 0))
		return err_code(e);
	if (into_registers(state, event, digests, e) < 0) {
		state->broken = *e; /* log and registers may differ from here on */
		return err_code(e);
	}
	return 0;
}

static void note(struct keeper_state *state, enum keeper_event event,
		 const struct provider_digests *digests)
{
	memcpy(state->events[event], digests->sha256, SHA3_256_LEN);
	if (event == KEEPER_EVENT_BOOT)
		state->booted = true;
	if (event != KEEPER_EVENT_CONFIG)
		return;
	/* Keys that came with the last manifest went with it. */
	keeper_journal_end(state);
	memcpy(state->identity, state->own, state->own_len);
	state->identity_len = state->own_len;
}

int keeper_answer_measure(struct keeper_state *state, const struct keeper_row *row,
			  struct reader *in, struct writer *out, struct err *e)
{
	struct provider_digests digests;
	bool measured;

	reader_copy(in, digests.sha256, sizeof(digests.sha256));
	reader_copy(in, digests.sha384, sizeof(digests.sha384));
	if (!reader_done(in))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (keeper_need_platform(state, e) < 0)
		return err_code(e);
	measured = keeper_platform(state) != EVIDENCE_NONE;
	if (measured && measure(state, row->event, &digests, e) < 0)
		return err_code(e);
	note(state, row->event, &digests);
	writer_u8(out, measured);
	writer_u8(out, state->fixed);
	return 0;
}

int keeper_answer_log(struct keeper_state *state, const struct keeper_row *row, struct reader *in,
		      struct writer *out, struct err *e)
{
	for (size_t i = 0; i < state->count; i++) {
		const struct keeper_log_entry *entry = &state->log[i];

		writer_u8(out, (uint8_t)entry->pcr);
		writer_u8(out, (uint8_t)entry->event);
		writer_bytes(out, entry->sha256_bank, sizeof(entry->sha256_bank));
		writer_bytes(out, entry->sha384_bank, sizeof(entry->sha384_bank));
	}
	return 0;
}

int keeper_answer_identity(struct keeper_state *state, const struct keeper_row *row,
			   struct reader *in, struct writer *out, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	size_t len = reader_left(in);
	const uint8_t *spki = reader_take(in, len);

	if (!spki || len == 0 || len > sizeof(state->own))
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (key_from_spki(spki, len, &key, e) < 0)
		return err_wrap(e, "identity");
	memcpy(state->own, spki, len);
	memcpy(state->identity, spki, len);
	state->own_len = state->identity_len = len;
	writer_u8(out, 0);
	writer_u8(out, state->fixed);
	return 0;
}
