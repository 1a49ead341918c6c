/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_failures.h — what services did not have, or could not give, a moment ago: remembered, so
 * that evidence which names chips that nobody knows, again and again, costs one request each, and a
 * service that is down holds up one call and not every one. What a service gave and nobody accepts is not
 * remembered: that may be due to the evidence.
 *
 * In memory, of a fixed size; the oldest goes first. Times are milliseconds of one clock that only
 * rises.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/digest.h"

enum {
	ENDORSE_FAILURES_MAX = 512,
	ENDORSE_UNKNOWN_SECONDS = 3600, /* a document that the service says it does not have */
	ENDORSE_BROKEN_SECONDS = 60,    /* any other failure */
};

struct endorse_failure {
	uint8_t url[SHA256_LEN];
	int64_t until; /* 0: nothing here */
	struct err why;
};

/* Zero is empty; endorse_failures_done() it. Most fetch nothing, or all that they ask for, and have no rows:
 * these would be 280 KB to clear for each. */
struct endorse_failures {
	struct endorse_failure *rows; /* ENDORSE_FAILURES_MAX; NULL before the first */
	size_t next;                  /* that is overwritten */
};
void endorse_failures_done(struct endorse_failures *failures);

/* Whether that address failed and is not to be asked yet; `e` then says how it failed. */
bool endorse_failures_find(const struct endorse_failures *failures, const char *url, int64_t now,
			   struct err *e) MUST_CHECK;

/* It failed for that reason. Without memory it is not remembered. */
void endorse_failures_add(struct endorse_failures *failures, const char *url, int64_t now,
			  const struct err *why);
