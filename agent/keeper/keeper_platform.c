/* SPDX-License-Identifier: Apache-2.0 */
/* What this machine has: looked for once, and told. */
#include "agent/keeper/keeper_state.h"
#include "attestation/provider/provider_rtmr.h"
#include "attestation/provider/provider_svsm.h"
#include "common/base/log.h"

#include <stdio.h>

enum { VMPL_MAX = 3 }; /* AMD 56860, VMPL of a report */

static void set_paths(struct keeper_state *state)
{
	struct provider_paths *paths = &state->options.paths;

	if (state->tsm) {
		snprintf(state->tsm_report, sizeof(state->tsm_report), "%s/report", state->tsm);
		snprintf(state->measurements, sizeof(state->measurements), "%s/measurements",
			 state->tsm);
		snprintf(state->sev_guest, sizeof(state->sev_guest), "%s/sev-guest", state->tsm);
		paths->tsm = state->tsm_report;
		paths->sev_guest = state->sev_guest;
		paths->measurements = state->measurements;
	} else if (!state->development) {
		*paths = provider_kernel_paths;
	}
}

static int look(struct keeper_state *state, struct err *e)
{
	int failed;

	set_paths(state);
	failed = provider_find(&state->options, &state->tee, e);
	if (failed && !err_is(failed, ERR_NOT_FOUND))
		return failed;
	if (state->tsm && !state->tee)
		return err_wrap(e, "--tsm '%s'", state->tsm); /* it was promised */
	state->has_rtmr = state->tee && state->tee->platform == EVIDENCE_TDX &&
			  rtmr_is_there(state->options.paths.measurements);
	state->wants_tpm =
		state->tcti || (!state->development && (!state->tee || provider_tpm_is_there()));
	state->looked = true;
	return 0;
}

/* Another TPM than the SVSM's is only the host's; a machine may have neither. */
static int look_for_svsm(struct keeper_state *state, struct err *e)
{
	if (!state->tee || state->tee->platform != EVIDENCE_SNP)
		return 0;
	int failed = provider_svsm_binds(&state->options, state->tpm, &state->bound, e);
	if (!err_is(failed, ERR_DENIED))
		return failed;
	log_warn("%s", e->text);
	return 0;
}

int keeper_need_platform(struct keeper_state *state, struct err *e)
{
	const struct provider_tpm_options options = {
		.tcti = state->tcti,
		.registers = UINT32_C(1) << KEEPER_PCR_EVENTS | UINT32_C(1) << KEEPER_PCR_MANIFEST,
	};

	if (!state->looked && look(state, e) < 0)
		return err_code(e);
	if (!state->wants_tpm || state->tpm)
		return 0;
	if (provider_tpm_open(&options, &state->tpm, e) < 0)
		return err_code(e);
	return look_for_svsm(state, e);
}

enum evidence_kind keeper_platform(const struct keeper_state *state)
{
	if (state->tee && !state->bound)
		return state->tee->platform;
	return evidence_kind_of(
		state->tee ? evidence_kind_rows[state->tee->platform].tee : TEE_NONE, state->tpm);
}

/* A TPM beside a TEE is the host's; it takes measurements, and says nothing in evidence. */
static void describe(const struct keeper_state *state, char *text, size_t size)
{
	const char *tpm = !state->tpm   ? ""
			  : !state->tee ? "TPM 2.0"
			  : state->bound
				  ? "; the TPM of its SVSM"
				  : "; a TPM of the host's, measured into and never evidence";
	const char *rtmr = !state->tee || state->tee->platform != EVIDENCE_TDX ? ""
			   : state->has_rtmr                                   ? "; RTMR3"
					     : "; no RTMR3, this kernel is too old for it";

	snprintf(text, size, "%s%s%s", state->tee ? state->tee->name : "", rtmr, tpm);
	if (!text[0])
		snprintf(text, size, "no TEE and no TPM");
}

int keeper_answer_check(struct keeper_state *state, const struct keeper_row *row, struct reader *in,
			struct writer *out, struct err *e)
{
	bool first = !state->looked;
	uint8_t vmpl = reader_u8(in);
	char text[200];

	if (!reader_done(in) || vmpl > VMPL_MAX)
		return err_set(e, ERR_INVALID, "keeper: malformed request");
	if (first)
		state->options.vmpl = vmpl;
	if (keeper_need_platform(state, e) < 0)
		return err_code(e);
	if (state->tpm && provider_tpm_check(state->tpm, e) < 0)
		return err_code(e);
	describe(state, text, sizeof(text));
	if (first)
		log_info("platform: %s", text);
	writer_u8(out, keeper_platform(state) != EVIDENCE_NONE);
	writer_u8(out, (uint8_t)evidence_kind_rows[keeper_platform(state)].type);
	writer_text(out, text);
	return 0;
}
