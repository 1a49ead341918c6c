/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation_metrics.h — what there is to tell of revocation lists: when each ends, whether the file is good, who was refused.
 */
#pragma once

#include "common/metrics/metrics_text.h"
#include "common/rpc/revocation.h"

/* Those of `all` that are NULL are left out. */
void revocation_metrics_write(struct revocation *const *all, size_t count, struct metrics_text *t);
