/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/appraisal_rate.h"

#include <stdio.h>
#include <string.h>

int64_t rate_cvms_take(struct rate_cvms *cvms, const struct rate *rate, const char *id, int64_t now)
{
	struct rate_cvm *free_row = &cvms->rows[0];

	for (size_t i = 0; i < RATE_CVMS_MAX; i++) {
		struct rate_cvm *row = &cvms->rows[i];

		if (row->spent_until > now && strcmp(row->id, id) == 0)
			return rate_take(rate, now, &row->spent_until);
		if (row->spent_until < free_row->spent_until)
			free_row = row;
	}
	/* With as many others under way, the one forgotten is the one that would be first. It is a
	 * share of what all may have: who has many names gains no more than that. */
	snprintf(free_row->id, sizeof(free_row->id), "%s", id);
	free_row->spent_until = 0;
	return rate_take(rate, now, &free_row->spent_until);
}
