/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_place.h — whether a folder can be used as it is, or made, and has room.
 *
 * That it can be written is tried: with a file that has no name, and is gone when it is closed.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	PREFLIGHT_LOG_FREE_MIN = 16 << 20, /* bytes: a day of many calls */
	PREFLIGHT_CACHE_FREE_MIN = 16
				   << 20, /* certificates and revocation lists of many platforms */
	PREFLIGHT_DATABASE_FREE_MIN = 64 << 20, /* and its write-ahead log */
};

struct preflight_folder {
	mode_t must_not, must; /* bits of its mode, if it is there */
	bool is_ours;          /* belongs to the user who asks, if it is there */
	bool in_memory;        /* on tmpfs */
	uint64_t free_bytes;   /* that this user can write there */
};

/* What the folder is; where it is missing, the nearest one above it, in which it would be made. */
int preflight_folder(const char *path, const struct preflight_folder *wanted,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;

/* The folder that the file is in, or would be made in: it has to be there, and have room. */
int preflight_folder_of(const char *path, uint64_t free_bytes, char found[PREFLIGHT_TEXT_MAX],
			struct err *e) MUST_CHECK;

/* A regular file that can be appended to, or made, with PREFLIGHT_LOG_FREE_MIN; NULL: nothing is asked. */
int preflight_log(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;

/* A file that can be read. */
int preflight_file(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
