/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdict_line.h — a verdict as people read it: one line where all is well, every fault where it is not, and
 * details with -v.
 */
#pragma once

#include "attestation/verdict/verdict.h"
#include "cli/base/command.h"

/* Whose nonces the evidence was asked for with: a session's or a receipt's own, of which nothing is to be said, or
 * the caller's. */
enum verdict_bond { VERDICT_OF_SESSION, VERDICT_OF_NONCE };

/* Of a yes: its word, and `yes` (formatted), which says what was judged, and what that is bound to. Of a no:
 * the reason, and each further fault. Notes go to standard error: those that limit a yes or ask for something to
 * be done, with -v and of a no all of them; -v has each check, too. */
void verdict_line(const struct cli *cli, FILE *out, const struct verdict *v, enum verdict_bond bond,
		  const char *yes, ...) __attribute__((format(printf, 5, 6)));
