/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_place.h — whether a folder can be used as it is, or made, and has room.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>
#include <sys/types.h>

struct preflight_folder {
	mode_t must_not, must; /* bits of its mode, if it is there */
	bool is_ours;          /* belongs to the user who asks, if it is there */
	bool in_memory;        /* on tmpfs */
	uint64_t free_bytes;   /* that this user can write there */
};

/* What the folder is; where it is missing, the nearest one above it, in which it would be made. */
int preflight_folder(const char *path, const struct preflight_folder *wanted,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;

/* A regular file that can be appended to, or made; NULL: nothing is asked. */
int preflight_log(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;

/* A file that can be read. */
int preflight_file(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;
