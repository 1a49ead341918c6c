/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat_log.h"

#include "attestation/logs/event_log.h"
#include "common/base/cleanup.h"

#include <string.h>

static int open_log(const struct eat *token, bool cc, struct event_log *log, struct err *e)
{
	const struct event_log_form form = { .cc = cc, .separators_optional = true };
	const struct span bytes = { token->event_log.bytes, token->event_log.len };

	if (event_log_parse(bytes, form, log, e) < 0) {
		err_wrap(e, "token: claim 'x-cocos-event-log'");
		e->code = ERR_DENIED;
		return err_code(e);
	}
	return 0;
}

static int disagree(uint32_t number, struct err *e)
{
	return err_set(e, ERR_DENIED,
		       "token: claim 'x-cocos-event-log' comes to another value of register %u "
		       "than the evidence has",
		       number);
}

int eat_log_agree_tdx(const struct eat *token, const struct tdx_quote *quote, struct err *e)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct event_replay replay;

	if (!token->event_log.len)
		return 0;
	if (open_log(token, true, &log, e) < 0 ||
	    event_log_replay(&log, DIGEST_SHA384, &replay, e) < 0)
		return err_code(e);
	for (uint32_t mr = 0; mr < EVENT_CC_REGISTERS; mr++) {
		if (!(replay.touched & UINT32_C(1) << mr))
			continue;
		/* Register 0 is MRTD, which nothing extends. */
		if (mr == 0 || memcmp(replay.values[mr], quote->body.rtmr[mr - 1], TDX_MR_LEN) != 0)
			return disagree(mr, e);
	}
	return 0;
}

static int agree_bank(const struct event_log *log, const struct tpm_pcr_bank *bank, struct err *e)
{
	struct event_replay replay;

	if (event_log_bank(log, bank->kind) < 0)
		return 0;
	if (event_log_replay(log, bank->kind, &replay, e) < 0)
		return err_code(e);
	for (uint32_t pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
		if ((replay.touched & bank->present & UINT32_C(1) << pcr) &&
		    memcmp(replay.values[pcr], bank->values[pcr], replay.len) != 0)
			return disagree(pcr, e);
	return 0;
}

int eat_log_agree_tpm(const struct eat *token, const struct tpm_evidence *message, struct err *e)
{
	CLEANUP_EVENT_LOG struct event_log log = { 0 };

	if (!token->event_log.len)
		return 0;
	if (open_log(token, false, &log, e) < 0)
		return err_code(e);
	for (size_t q = 0; q < message->quote_count; q++)
		for (size_t b = 0; b < message->quotes[q].pcrs.count; b++)
			if (agree_bank(&log, &message->quotes[q].pcrs.banks[b], e) < 0)
				return err_code(e);
	return 0;
}

/* The registers of that bank which quotes have. */
static uint32_t quoted_in(const struct tpm_evidence *message, enum digest_kind kind)
{
	uint32_t quoted = 0;

	for (size_t q = 0; q < message->quote_count; q++) {
		const struct tpm_pcr_bank *bank = tpm_pcrs_bank(&message->quotes[q].pcrs, kind);

		quoted |= bank ? bank->present : 0;
	}
	return quoted;
}

/* SHA-1 alone would let another log come to the same values. */
static bool is_quoted(const struct event_log *log, const struct tpm_evidence *message)
{
	uint32_t touched = 0, compared = 0;

	for (size_t i = 0; i < log->count; i++)
		if (log->events[i].type != EVENT_NO_ACTION)
			touched |= UINT32_C(1) << log->events[i].pcr;
	for (size_t i = 0; i < log->bank_count; i++)
		if (log->banks[i].known && log->banks[i].kind != DIGEST_SHA1)
			compared |= quoted_in(message, log->banks[i].kind);
	return (touched & ~compared) == 0;
}

bool eat_log_is_compared(const struct eat *token, const struct tpm_evidence *message)
{
	const struct evidence_kind_row *row = &evidence_kind_rows[token->platform];
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	struct err e;

	if (!row->tpm)
		return row->tee == TEE_TDX;
	return message && open_log(token, false, &log, &e) == 0 && is_quoted(&log, message);
}
