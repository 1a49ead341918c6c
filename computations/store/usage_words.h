/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_words.h — which usage somebody asks for (store_usage.h), in words: a month, and a place in the list.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum { USAGE_MONTH_LEN = 7 /* "2026-11" */ };

struct usage_month {
	char name[USAGE_MONTH_LEN + 1];
	int64_t since, until; /* ms since 1970, UTC */
};
/* "2026-11", from 1970-01 to 9998-12; "" is the one of `now`. */
int usage_month_parse(const char *text, int64_t now, struct usage_month *month,
		      struct err *e) MUST_CHECK;

/* Whose time it was. */
enum usage_kind {
	USAGE_IDLE, /* the CVM held no computation */
	USAGE_OF_COMPUTATION,
	USAGE_OF_OTHERS, /* computations that who asks may not see, together */
	USAGE_KINDS
};

/* A place in the list: behind these; number 0: the first. */
struct usage_after {
	int64_t workspace_number, kind;
	const char *computation; /* lent */
};

/* "WORKSPACE.KIND.COMPUTATION", of which the computation is lent; "" is the first. */
int usage_after_parse(const char *text, struct usage_after *after, struct err *e) MUST_CHECK;
int usage_after_format(const struct usage_after *after, char **text, struct err *e) MUST_CHECK;
