/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_run.h — the run statement beside the evidence, and what a manifest adds. Private to
 * verify.c.
 */
#pragma once

#include "attestation/verify/verify.h"

/* Adds and requires "run.statement" and what follows from it. `token` is NULL where the evidence
 * came without one: then there is no statement, which only a policy with `agent: stock` takes. */
void verify_run(const struct verify_input *in, enum evidence_kind mode, const struct eat *token,
		struct verify_result *result, struct verdict *v);
