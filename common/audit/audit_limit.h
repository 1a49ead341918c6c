/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_limit.h — how many refusals have an entry of their own: whoever may not call could fill the disk, and bury
 * the others' entries.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries at once and the time for one more, in milliseconds: of one caller (of all those that share a place), and
 * of all together. At most 86,400 a day. */
enum {
	AUDIT_LIMIT_PLACES = 64,
	AUDIT_LIMIT_BURST = 20,
	AUDIT_LIMIT_MS = 30 * 1000,
	AUDIT_LIMIT_ALL_BURST = 200,
	AUDIT_LIMIT_ALL_MS = 1000,
};

/* Zeroed at the start. */
struct audit_limit {
	uint64_t used_until[AUDIT_LIMIT_PLACES], all_used_until;
};

/* Whether this one has an entry; it counts then. `now`: milliseconds of a clock that does not go back. */
bool audit_limit_take(struct audit_limit *limit, const void *who, size_t len, uint64_t now);
