/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign_in_rate.h — how often somebody may try passwords: by the address that asks, and by the pair of address and
 * name. No account is ever locked: who tries Anna's from elsewhere takes nothing from Anna. Behind one
 * address she waits while somebody goes on, or uses a link of an administrator's. A password that was right gives back what
 * it took; where there is a second factor, once its code was right, too.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/source.h"

#include <stdint.h>

enum {
	SIGN_IN_WAYS = 4,
	SIGN_IN_SETS = 1024,
	SIGN_IN_NAME_BURST = 10, /* of one address for one name; then one each: */
	SIGN_IN_NAME_EVERY_MS = 30000,
	SIGN_IN_SOURCE_BURST = 60, /* of one address for all names; then one each: */
	SIGN_IN_SOURCE_EVERY_MS = 5000,
};

struct sign_in_rate;
int sign_in_rate_new(struct sign_in_rate **rate, struct err *e) MUST_CHECK;
void sign_in_rate_free(struct sign_in_rate *rate);

/* Counts a try at `now` (ms). ERR_EXHAUSTED: not yet, and in how long. */
int sign_in_rate_take(struct sign_in_rate *rate, const struct rpc_source *source, const char *name,
		      int64_t now, struct err *e) MUST_CHECK;
/* It was right: all that pair's tries are forgotten, and one of its address. */
void sign_in_rate_good(struct sign_in_rate *rate, const struct rpc_source *source,
		       const char *name);
