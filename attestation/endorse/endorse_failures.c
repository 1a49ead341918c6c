/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_failures.h"

#include <string.h>

bool endorse_failures_find(const struct endorse_failures *failures, const char *url, int64_t now,
			   struct err *e)
{
	uint8_t id[SHA256_LEN];
	struct err ignored;

	if (digest(DIGEST_SHA256, url, strlen(url), id, &ignored) < 0)
		return false;
	for (size_t i = 0; i < ENDORSE_FAILURES_MAX; i++) {
		const struct endorse_failure *row = &failures->rows[i];

		if (row->until <= now || memcmp(row->url, id, sizeof(id)) != 0)
			continue;
		*e = row->why;
		err_wrap(e, "not asked again for %lld s",
			 (long long)((row->until - now + 999) / 1000));
		return true;
	}
	return false;
}

void endorse_failures_add(struct endorse_failures *failures, const char *url, int64_t now,
			  const struct err *why)
{
	struct endorse_failure *row = &failures->rows[failures->next];
	int64_t seconds =
		why->code == ERR_NOT_FOUND ? ENDORSE_UNKNOWN_SECONDS : ENDORSE_BROKEN_SECONDS;
	struct err ignored;

	if (digest(DIGEST_SHA256, url, strlen(url), row->url, &ignored) < 0) {
		row->until = 0;
		return;
	}
	row->until = now + seconds * 1000;
	row->why = *why;
	failures->next = (failures->next + 1) % ENDORSE_FAILURES_MAX;
}
