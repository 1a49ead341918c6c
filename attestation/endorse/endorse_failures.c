/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_failures.h"

#include <stdlib.h>
#include <string.h>

void endorse_failures_done(struct endorse_failures *failures)
{
	free(failures->rows);
	*failures = (struct endorse_failures){ 0 };
}

bool endorse_failures_find(const struct endorse_failures *failures, const char *url, int64_t now,
			   struct err *e)
{
	uint8_t id[SHA256_LEN];
	struct err ignored;

	if (!failures->rows || digest(DIGEST_SHA256, url, strlen(url), id, &ignored) < 0)
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
	int64_t seconds =
		why->code == ERR_NOT_FOUND ? ENDORSE_UNKNOWN_SECONDS : ENDORSE_BROKEN_SECONDS;
	struct endorse_failure *row;
	struct err ignored;

	if (!failures->rows &&
	    !(failures->rows = calloc(ENDORSE_FAILURES_MAX, sizeof(*failures->rows))))
		return;
	row = &failures->rows[failures->next];
	if (digest(DIGEST_SHA256, url, strlen(url), row->url, &ignored) < 0) {
		row->until = 0;
		return;
	}
	row->until = now + seconds * 1000;
	row->why = *why;
	failures->next = (failures->next + 1) % ENDORSE_FAILURES_MAX;
}
