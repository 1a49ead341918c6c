/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_appraise.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CC_RTMR0 = 1 };

static const enum check_id log_checks[TDX_RTMR_COUNT] = { CHECK_LOG_RTMR0, CHECK_LOG_RTMR1,
							  CHECK_LOG_RTMR2, CHECK_LOG_RTMR3 };

/* A log that is given has to explain every RTMR; a register without events is still zero. */
static bool log_replay(const struct event_log *log, const struct tdx_quote *quote,
		       struct verdict *v)
{
	struct event_replay replay;
	struct err e;
	bool ok = true;

	if (event_log_replay(log, DIGEST_SHA384, &replay, &e) < 0)
		return verdict_err(v, CHECK_LOG_REPLAY, &e);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		ok &= verdict_bytes(v, log_checks[i], replay.values[i + CC_RTMR0],
				    quote->body.rtmr[i], TDX_MR_LEN);
	return ok;
}

/* True, and a log to be freed, if it is the one that the quote tells of. */
static bool log_open(const struct tdx_input *in, const struct tdx_quote *quote, struct verdict *v,
		     struct event_log *log)
{
	struct err e;

	verdict_require(v, CHECK_LOG_PARSE);
	if (event_log_parse(in->event_log, (struct event_log_form){ .cc = true }, log, &e) < 0)
		return verdict_err(v, CHECK_LOG_PARSE, &e);
	verdict_checkf(v, CHECK_LOG_PARSE, true, NULL, "%zu events", log->count);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		verdict_require(v, log_checks[i]);
	return log_replay(log, quote, v);
}

static void appraise_policy(const struct tdx_input *in, const struct tdx_result *result,
			    const struct event_log *log, struct verdict *v)
{
	struct tdx_facts facts = { result, in->report_data, log };

	if (v->scope == VERDICT_SCOPE_GENUINE_ONLY) {
		tdx_policy_judge_binding(&facts, v);
		return;
	}
	verdict_require(v, CHECK_POLICY_GIVEN);
	if (verdict_check(v, CHECK_POLICY_GIVEN, in->policy != NULL, in->policy ? "yes" : "none",
			  "a policy: nothing else says which measurement is right"))
		tdx_policy_judge(in->policy, &facts, v);
}

void tdx_appraise(const struct tdx_input *in, struct tdx_result *result, struct verdict *v)
{
	CLEANUP(free) struct tdx_result *own = NULL;
	CLEANUP_EVENT_LOG struct event_log log = { 0 };
	const struct tdx_parsed *parsed = in->parsed;
	struct tdx_parsed own_parsed;
	bool log_good = false;

	if (!result) {
		own = malloc(sizeof(*own));
		if (!own) {
			struct err e;

			err_record(&e, ERR_EXHAUSTED, "out of memory");
			verdict_require(v, CHECK_PARSE_QUOTE);
			verdict_err(v, CHECK_PARSE_QUOTE, &e);
			return;
		}
		result = own;
	}
	if (!parsed) {
		tdx_parsed_of(in->quote, &own_parsed);
		parsed = &own_parsed;
	}
	tdx_verify(parsed, &in->endorsements, v, result);
	if (result->has_quote) {
		if (in->event_log.len > 0)
			log_good = log_open(in, &result->quote, v, &log);
		appraise_policy(in, result, log_good ? &log : NULL, v);
	} else {
		verdict_require(v, CHECK_POLICY_REPORTDATA);
	}
}
