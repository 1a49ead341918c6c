/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyed_rate.h — rate.h for each of many, known by names that others choose: addresses, accounts. They are in sets of a few ways,
 * as many as there were at the start; in which set a name is, nobody can choose.
 *
 * Who comes when all ways of his set are taken gets that of the one who has least to wait off: nobody who has used up his own gives way
 * to those who have not. Only what is counted takes a way: asking does not, nor does what is refused.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/rate.h"

#include <stdbool.h>
#include <stddef.h>

struct keyed_rate_form {
	struct rate each, all; /* of one clock's unit; `all` of {0}: as many as come */
	size_t sets, ways;
	/* False, for who may have any number of names: who gets another one's way begins anew, so nobody waits for what others did.
	 * True, for those whom we know: he takes over what that one had to wait off, so nobody is as if he had done nothing because
	 * others came; and as many as there are ways have to go on without end to make somebody wait. */
	bool inherits;
};

struct keyed_rate;
int keyed_rate_new(const struct keyed_rate_form *form, struct keyed_rate **rate,
		   struct err *e) MUST_CHECK;
void keyed_rate_free(struct keyed_rate *rate);

/* In how long he may come, 0 if that is now; counts nothing. */
int keyed_rate_wait(struct keyed_rate *rate, const void *name, size_t len, int64_t now,
		    int64_t *wait, struct err *e) MUST_CHECK;
/* The same, and counts one if it is now; else neither he nor all have lost anything. */
int keyed_rate_take(struct keyed_rate *rate, const void *name, size_t len, int64_t now,
		    int64_t *wait, struct err *e) MUST_CHECK;
/* Gives one of his back (not to all); forgets his. Fine if there are none. */
int keyed_rate_give_back(struct keyed_rate *rate, const void *name, size_t len,
			 struct err *e) MUST_CHECK;
int keyed_rate_forget(struct keyed_rate *rate, const void *name, size_t len,
		      struct err *e) MUST_CHECK;
