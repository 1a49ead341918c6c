/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_run.h — the run statement beside the evidence, and what a manifest adds. Private to
 * verify.c.
 */
#pragma once

#include "attestation/verify/verify_input.h"

/* verify(), which judges the evidence that a run statement brings along. */
typedef int verify_run_judge_fn(const struct verify_input *in, struct verdict *v,
				struct verify_result *result, struct err *e);

/* Adds and requires "run.statement" and what follows from it. `token` is NULL where the evidence
 * came without one: then there is no statement, which only a policy with `agent: stock` takes. */
void verify_run(const struct verify_input *in, enum evidence_kind mode, const struct eat *token,
		verify_run_judge_fn *judge, struct verify_result *result, struct verdict *v);
