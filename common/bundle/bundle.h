/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle.h — a directory as one zip file, and an untrusted zip unpacked to a directory.
 *
 * Making is deterministic, and gives the bytes that stock Cocos makes of the same directory on a
 * machine whose time zone is UTC, so the SHA3-256 of a directory is that of its bundle (wire.md,
 * Manifest). Files only, sorted by the bytes of their path, stored; times are 1970-01-01; modes are
 * the files' own, so they are part of the digest. Directories are there by the files in them.
 */
#pragma once

#include "common/base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	BUNDLE_ENTRIES_MAX = 65534, /* what a zip without its 64-bit count can hold; when one is
				     * made, of files and directories together */
	BUNDLE_PATH_MAX = 1024,     /* bytes of an entry's path */
	BUNDLE_NAME_MAX = 255,      /* bytes of one name in it */
	BUNDLE_DEPTH_MAX = 32,      /* names in a path */
	BUNDLE_DIGEST_LEN = 32,
};

/* In the words about a directory that holds one. */
#define BUNDLE_REFUSED_LINK "is a link, which the stock CLI follows"

/* What has been done of how many bytes of content; called from the thread that does the work. */
struct bundle_progress {
	void (*update)(uint64_t done, uint64_t total, void *data);
	void *data;
};

/* Writes the bundle of the directory `dir` to `fd`, which need not be seekable (-1: nowhere). Regular files and
 * directories are walked: anything else inside (links, devices, sockets, names that are not UTF-8 or
 * over the limits) is refused by name, and so is a file that changes meanwhile, or more content
 * than the directory's file system could hold (ERR_EXHAUSTED). `progress` may be NULL. After a
 * failure what was written is useless. `size`, if not NULL, gets the count of bytes written,
 * `digest` their SHA3-256. */
int bundle_make(int dir, int fd, const struct bundle_progress *progress, uint64_t *size,
		uint8_t digest[BUNDLE_DIGEST_LEN], struct err *e) MUST_CHECK;

/* A file that lies in no directory: its mode is 0644. */
struct bundle_extra {
	const char *path; /* one name */
	const void *bytes;
	size_t len;
};

/* bundle_make() with one more file. ERR_EXISTS if the directory has its path, as a directory as well. */
int bundle_make_with(int dir, const struct bundle_extra *extra, int fd, uint64_t *size,
		     struct err *e) MUST_CHECK;

/* SHA3-256 of what bundle_make() would write, without writing it anywhere. */
int bundle_digest(int dir, const struct bundle_progress *progress, uint8_t out[BUNDLE_DIGEST_LEN],
		  struct err *e) MUST_CHECK;

/* How much a bundle may hold. Zero means the default next to it. */
struct bundle_limits {
	uint64_t entries; /* and folders that only stand in paths: BUNDLE_ENTRIES_MAX */
	uint64_t bytes;   /* of all contents unpacked: 64 GiB */
	uint64_t ratio;   /* unpacked bytes for each packed one, of the whole and of any entry over
			   * 1 MiB: 1032 is deflate's best; 200 */
	const atomic_bool *cancel; /* may be NULL; once true, ERR_CANCELLED comes soon */
	/* Names that no path may begin with, ending with NULL; NULL: none. */
	const char *const *reserved;
	/* A folder of this name that holds all else is left out of every path; NULL: none is. */
	const char *strip;
	/* What is made is its owner's alone: files get mode 0600, directories 0700. */
	bool secret;
};
#define BUNDLE_BYTES_DEFAULT (64ULL << 30)
#define BUNDLE_RATIO_DEFAULT 200ULL

/*
 * Unpacks the zip `file` below the directory `dir`, entirely or not at all. The central directory
 * is the truth. Files that are already there are never replaced (ERR_EXISTS); directories that are
 * there are used. New files get mode 0644, directories 0755, whatever the umask is, but where `secret` is set.
 *
 * ERR_INVALID: not a zip, damaged, encrypted, another method than stored and deflate; a path that
 * is absolute, has "." or ".." or an empty name, a backslash or control character, is not UTF-8; a
 * link, device or anything but file and directory; a path twice, or one that is a file and a
 * directory; a reserved name. ERR_EXHAUSTED: over a limit, or more content than the file system of
 * `dir` has room for, which is known before anything is written. After a failure nothing that was
 * made is left.
 */
int bundle_extract(const char *file, int dir, const struct bundle_limits *limits,
		   struct err *e) MUST_CHECK;
