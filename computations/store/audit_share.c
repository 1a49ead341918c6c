/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/audit_share.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static bool is_of(const struct audit_share *share, const char *who)
{
	return share->rows && strncmp(share->who, who, AUDIT_SHARE_WHO_MAX) == 0;
}

uint64_t audit_share_rows(const struct audit_shares *shares, const char *who)
{
	for (size_t i = 0; i < AUDIT_SHARES; i++)
		if (is_of(&shares->of[i], who))
			return shares->of[i].rows;
	return 0;
}

void audit_share_count(struct audit_shares *shares, const char *who)
{
	struct audit_share *fewest = shares->of;

	for (size_t i = 0; i < AUDIT_SHARES; i++) {
		struct audit_share *share = &shares->of[i];

		if (is_of(share, who)) {
			share->rows++;
			return;
		}
		if (share->rows < fewest->rows)
			fewest = share;
	}
	snprintf(fewest->who, sizeof(fewest->who), "%s", who);
	fewest->rows = 1;
}
