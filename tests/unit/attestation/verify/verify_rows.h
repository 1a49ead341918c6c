/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_rows.h — verifications that are right in everything but one thing: as each row says,
 * accepted, or refused by that thing's name and without an identity.
 */
#pragma once

#include "tests/unit/attestation/verify/verify_build.h"

typedef void verify_change_fn(struct verify_build *b);

#define VERIFY_BOUND "(bound)" /* the kind's own check */

struct verify_row {
	const char *name;
	verify_change_fn *statement, *call; /* before and after the token is sealed */
	const char *check;                  /* NULL: accepted */
	unsigned not_for;                   /* set of 1 << mode */
};

static inline void nothing(struct verify_build *b)
{
	(void)b;
}

/* What the last run came to. */
extern struct verdict verify_rows_verdict;
extern struct verify_result verify_rows_result;

/* One verification with those changes. The kind is set up. */
int verify_rows_run(const struct verify_kind *kind, verify_change_fn *statement,
		    verify_change_fn *call, struct err *e) MUST_CHECK;

/* All rows that are for the kind, which is set up; how many those were. */
size_t verify_rows_judge(const struct verify_kind *kind, const struct verify_row *rows,
			 size_t count);
