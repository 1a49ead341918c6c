/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h — paths of an image's layers, opened so that nothing leads out of the folder that becomes the
 * container's root: a symbolic link means what it will mean inside.
 */
#pragma once

#include "agent/container/tar.h"

#include <stdbool.h>
#include <sys/types.h>

enum {
	PLACE_DEPTH_MAX = 64, /* folders between the root and anything, links followed */
	PLACE_COST = 4096,    /* bytes that anything takes of a file system */
};

/* What may still come, over all layers. */
struct place_room {
	uint64_t bytes;   /* unpacked, headers and all, and PLACE_COST for each entry */
	uint64_t entries; /* of archives, and folders that are only named in paths */
};

/* Takes an entry's part of the room; ERR_EXHAUSTED. */
int place_take(struct place_room *room, struct err *e) MUST_CHECK;

/* "./a//b/" is "a/b", "." and "./" are "". Refused: absolute, "..", a name over 255 bytes, too deep. */
int place_clean(const char *path, char clean[TAR_PATH_MAX + 1], struct err *e) MUST_CHECK;

/* The folder (O_PATH) that holds a clean path's last name, `*name` that name. Folders that are missing
 * are made if there is a `room` to take them from; else `*fd` is -1 and 0 is returned. */
int place_parent(int root, const char *path, struct place_room *room, int *fd, const char **name,
		 struct err *e) MUST_CHECK;

/* Whatever has that name goes, with all that is in it; nothing is fine. Links are not followed. */
int place_remove(int folder, const char *name, struct err *e) MUST_CHECK;
/* The same for all that is in the folder. */
int place_empty(int folder, struct err *e) MUST_CHECK;
