/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tar.h — the entries of a tar archive, as POSIX (pax, IEEE Std 1003.1 pax(1)), GNU and old tars write
 * them, one after the other.
 *
 * Form alone: what a name means is for whoever uses it. Refused: a header whose sum is wrong, a type
 * that is none of those below, sparse files, fields that are no numbers, a name twice as long as its
 * limit, bytes behind the end that are not zero, an archive without an end unless it may stop.
 */
#pragma once

#include "agent/container/blob.h"

enum {
	TAR_PATH_MAX = 1024,   /* bytes of a name, and of where a link leads */
	TAR_PAX_MAX = 1 << 18, /* bytes of one extended header */
	TAR_ENTRIES_MAX = 500000,
};

enum tar_kind { TAR_FILE, TAR_FOLDER, TAR_LINK, TAR_SYMLINK, TAR_DEVICE };

struct tar_entry {
	enum tar_kind kind;
	char name[TAR_PATH_MAX + 1];
	char link[TAR_PATH_MAX + 1]; /* where a link or symlink leads */
	uint64_t size;               /* of a file's content; else 0 */
	uint32_t mode;               /* the twelve bits */
	int64_t mtime;               /* seconds */
	uint64_t offset;             /* of the content in what is read */
};

struct tar {
	struct blob *blob; /* the caller's */
	bool seek;         /* the blob may be skipped in */
	bool may_stop;     /* behind a content, without an end: a digest says that it is whole */
	uint64_t left;     /* of the entry's content */
	uint64_t pad;      /* zeros behind it */
	uint64_t count;
	bool ended;
};

/* 1 and an entry, 0 at the end, or a failure. What was not read of the last content is stepped over. */
int tar_next(struct tar *tar, struct tar_entry *entry, struct err *e) MUST_CHECK;

/* Of the entry's content; `*len` is 0 at its end. */
int tar_read(struct tar *tar, void *out, size_t room, size_t *len, struct err *e) MUST_CHECK;
