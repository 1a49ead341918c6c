/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_header.h — the bytes of a zip around the contents of its files (PKWARE APPNOTE 6.3.10); for
 * this room only.
 *
 * Each field is as the archive/zip package of Go writes it for a file of stock Cocos: a manifest
 * names a folder by the digest of these bytes, whichever of the two made it.
 */
#pragma once

#include "common/base/writer.h"
#include "common/bundle/bundle.h"

enum { BUNDLE_HEADER_MAX = 128 + BUNDLE_PATH_MAX }; /* bytes of the longest header */

/* A file that was written, and where its local header began. */
struct bundle_entry {
	const char *path;
	uint32_t mode; /* st_mode of a regular file */
	uint32_t crc;
	uint64_t size, offset;
};

/* What stands before a file's content: only path and mode are looked at. */
void bundle_header_local(struct writer *w, const struct bundle_entry *entry);
/* What stands after it. */
void bundle_header_descriptor(struct writer *w, const struct bundle_entry *entry);
void bundle_header_central(struct writer *w, const struct bundle_entry *entry);
/* Behind `count` central headers, which begin at `start` and end at `end`. */
void bundle_header_end(struct writer *w, uint64_t count, uint64_t start, uint64_t end);
