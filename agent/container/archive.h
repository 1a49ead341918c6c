/* SPDX-License-Identifier: Apache-2.0 */
/*
 * archive.h — the files of an image's archive (an uncompressed tar) by name, where they lie in it.
 */
#pragma once

#include "agent/container/blob.h"

#include <stdatomic.h>
#include <stddef.h>

enum { ARCHIVE_ITEMS_MAX = 4096 };

struct archive;

/* `fd` is a regular file, stays the caller's, and open. ERR_INVALID for a compressed archive, a name
 * twice, anything in it but files, folders and symbolic links. ERR_CANCELLED once `cancel` is true (NULL:
 * never). */
int archive_open(int fd, const atomic_bool *cancel, struct archive **archive,
		 struct err *e) MUST_CHECK;

/* A file, also through one symbolic link (docker writes them for layers that are the same). ERR_NOT_FOUND
 * with the name. */
int archive_find(const struct archive *archive, const char *name, struct blob_place *place,
		 struct err *e) MUST_CHECK;
bool archive_has(const struct archive *archive, const char *name);

/* A whole file of at most `max` bytes, malloc'ed. */
int archive_read(const struct archive *archive, const struct blob_place *place, size_t max,
		 uint8_t **bytes, size_t *len, struct err *e) MUST_CHECK;

int archive_file(const struct archive *archive); /* the descriptor */

void archive_free(struct archive *archive);
DEFINE_CLEANUP(struct archive *, archive_free)
