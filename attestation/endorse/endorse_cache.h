/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_cache.h — documents kept as files: CACHE/snp/Milan/ask_ark.pem, CACHE/tdx/FMSPC-CA/….
 *
 * What lies there is input like any other: readers verify it. Folders are 0700; a file is replaced
 * whole or not at all. A group is one folder: processes that want to fill it wait for each other.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"

/* The folder that --cache or the environment names: malloc'ed. `named` may be NULL: that of
 * $XDG_CACHE_HOME, else of $HOME. ERR_PRECONDITION if neither says where. */
int endorse_cache_folder(const char *named, char **folder, struct err *e) MUST_CHECK;

struct endorse_group {
	char *folder; /* malloc'ed */
	int lock;     /* a descriptor while it is held, else -1 */
};

/* Names a group below the cache; nothing is touched. */
int endorse_group_open(struct endorse_group *group, const char *cache, const char *name,
		       struct err *e) MUST_CHECK;
void endorse_group_done(struct endorse_group *group); /* gives the lock back */

/* Malloc'ed contents and when they were written (seconds since 1970). ERR_NOT_FOUND for a file that
 * is not there, is empty, larger than `max`, or no file: what can't be used may as well be missing.
 */
int endorse_group_read(const struct endorse_group *group, const char *file, size_t max,
		       uint8_t **bytes, size_t *len, int64_t *written, struct err *e) MUST_CHECK;

/* Makes the folder and waits until no other process fills it, up to `deadline` (CLOCK_MONOTONIC).
 */
int endorse_group_lock(struct endorse_group *group, int64_t deadline, struct err *e) MUST_CHECK;

/* Only with the lock. */
int endorse_group_write(const struct endorse_group *group, const char *file, const void *bytes,
			size_t len, struct err *e) MUST_CHECK;
