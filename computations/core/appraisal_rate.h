/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraisal_rate.h — how often endorsements are fetched: for one CVM, and in all. Times are
 * milliseconds of one clock that only rises.
 */
#pragma once

#include "common/base/rate.h"
#include "computations/store/store.h"

#include <stdint.h>

enum { RATE_CVMS_MAX = 1024 };

/* One state for each CVM. Zero is empty. */
struct rate_cvms {
	struct rate_cvm {
		char id[STORE_ID_MAX + 1];
		int64_t spent_until;
	} rows[RATE_CVMS_MAX];
};

/* The same for that CVM. With RATE_CVMS_MAX others under way, the first of them is forgotten. */
int64_t rate_cvms_take(struct rate_cvms *cvms, const struct rate *rate, const char *id,
		       int64_t now);
