/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers.h — a verdict as tests put it: assert_ok() for a yes, assert_refused() with ERR_DENIED and
 * the check that failed for a no.
 */
#pragma once

#include "attestation/verify/verify.h"

static inline int answer(const struct verdict *v, struct err *e)
{
	return verdict_ok(v) ? 0 : err_set(e, ERR_DENIED, "%s", verdict_reason(v).text);
}

static inline int snp_answer(const struct snp_input *in, struct snp_result *result,
			     struct verdict *v, struct err *e)
{
	snp_appraise(in, result, v);
	return answer(v, e);
}

static inline int tdx_answer(const struct tdx_input *in, struct tdx_result *result,
			     struct verdict *v, struct err *e)
{
	tdx_appraise(in, result, v);
	return answer(v, e);
}

static inline int tpm_answer(const struct tpm_input *in, struct tpm_result *result,
			     struct verdict *v, struct err *e)
{
	tpm_appraise(in, result, v);
	return answer(v, e);
}

/* What could not be judged keeps its own code. */
static inline int verify_answer(const struct verify_input *in, struct verdict *v,
				struct verify_result *result, struct err *e)
{
	int failed = verify(in, v, result, e);

	return failed ? failed : answer(v, e);
}
