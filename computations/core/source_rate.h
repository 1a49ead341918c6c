/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_rate.h — how often strangers may ask for what costs us something: each address by itself, and all together.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/rate.h"
#include "common/rpc/source.h"

#include <stdbool.h>

struct source_rates {
	struct rate source, all; /* ms */
};

struct source_rate;
int source_rate_new(const struct source_rates *rates, struct source_rate **rate,
		    struct err *e) MUST_CHECK;
void source_rate_free(struct source_rate *rate);

/* Counts one at `now` (ms of a clock that does not go back); false: not yet. Who is refused takes nothing from others. */
bool source_rate_take(struct source_rate *rate, const struct rpc_source *source, int64_t now);
