/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_token.h — raw evidence as a signed token (wire.md, Evidence), with the run statement and
 * event logs as far as they fit.
 */
#pragma once

#include "agent/keeper/keeper.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"

enum { EVIDENCE_TOKEN_LIFE_S = 300 };

/* Empty before a manifest is measured. */
struct evidence_run {
	struct span statement, evidence;
};

struct evidence_token {
	const struct keeper_evidence *raw;
	enum eat_nonce_use use;
	const struct evidence_run *run;
	size_t max; /* bytes that the token may have */
};

/* Tries with all event logs, with the agent's own alone, without any. ERR_EXHAUSTED if it is still over
 * `max`. */
int evidence_token_write(const struct evidence_token *token, EVP_PKEY *identity, struct writer *out,
			 struct err *e) MUST_CHECK;
