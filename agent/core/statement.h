/* SPDX-License-Identifier: Apache-2.0 */
/*
 * statement.h — the run statement (attestation/run_statement.h) that this agent makes of a
 * computation: what was measured, whose key it is, what the host chose, what weakens it.
 */
#pragma once

#include "agent/computation/computation.h"
#include "agent/core/config.h"
#include "agent/core/identity.h"
#include "common/base/err.h"
#include "common/base/span.h"

/* Of an agent in development, in place of CONFIG_ROLE_SIGNATURE_WORD, which it implies. */
#define STATEMENT_DEVELOPMENT_WORD "development"

struct statement_input {
	const struct config *config;
	const struct computation *computation;
	const struct identity *identity;
	struct span journal; /* SPKI of the journal's key */
	bool fixed;          /* the boot configuration, at launch */
};

/* Malloc'ed. Secrets of the boot configuration stand there as salted digests. ERR_EXHAUSTED if it
 * has more entries than a statement holds. */
int statement_make(const struct statement_input *input, uint8_t **bytes, size_t *len,
		   struct err *e) MUST_CHECK;
