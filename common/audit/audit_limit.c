/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_limit.h"

/* FNV-1a. Who finds another one of his place takes that one's share of entries, and is counted. */
static unsigned place_of(const void *who, size_t len)
{
	const uint8_t *b = who;
	uint32_t hash = 0x811c9dc5;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ b[i]) * 0x01000193;
	return (hash ^ hash >> 16) % AUDIT_LIMIT_PLACES;
}

/* Each entry uses up `ms` from when the ones before it are used up; up to `burst` of them are ahead. */
static uint64_t next(uint64_t used_until, uint64_t now, uint64_t ms)
{
	return (used_until > now ? used_until : now) + ms;
}

bool audit_limit_take(struct audit_limit *limit, const void *who, size_t len, uint64_t now)
{
	uint64_t *place = &limit->used_until[place_of(who, len)];
	uint64_t one = next(*place, now, AUDIT_LIMIT_MS);
	uint64_t all = next(limit->all_used_until, now, AUDIT_LIMIT_ALL_MS);

	if (one > now + (uint64_t)AUDIT_LIMIT_BURST * AUDIT_LIMIT_MS ||
	    all > now + (uint64_t)AUDIT_LIMIT_ALL_BURST * AUDIT_LIMIT_ALL_MS)
		return false;
	*place = one;
	limit->all_used_until = all;
	return true;
}
