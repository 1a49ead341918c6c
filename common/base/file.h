/* SPDX-License-Identifier: Apache-2.0 */
/*
 * file.h — whole files in and out, atomically; folder trees made and removed.
 */
#pragma once

#include "common/base/err.h"

#include <dirent.h>
#include <stdint.h>
#include <sys/types.h>

/* The whole file, at most `max` bytes, followed by a zero byte that is not counted. Malloc'ed for
 * the caller. A larger file is ERR_EXHAUSTED. Reads to the end whatever stat says (sysfs, pipes);
 * "-" is not special. */
int file_read(const char *path, size_t max, uint8_t **bytes, size_t *len, struct err *e) MUST_CHECK;

/* Like file_read() for text: a zero byte inside is refused. */
int file_read_text(const char *path, size_t max, char **text, struct err *e) MUST_CHECK;

/* Replaces or makes `path` with `mode`, so that at every moment the old or the whole new content
 * is there (a temporary file next to it, fsync, rename, fsync of the folder). Nothing is left on
 * failure, but for that of the last step: then the new content is there, and may be the old again
 * after a power cut. */
int file_write(const char *path, const void *bytes, size_t len, mode_t mode,
	       struct err *e) MUST_CHECK;

/* The same, but ERR_EXISTS if something has that name already; nothing has it after any failure. */
int file_write_new(const char *path, const void *bytes, size_t len, mode_t mode,
		   struct err *e) MUST_CHECK;

/* Their last step: `temporary`, which is on disk in the same folder, becomes `path`. */
int file_publish(const char *temporary, const char *path, bool replace, struct err *e) MUST_CHECK;
/* The folder that `path` is in, to disk: a name is only there for good once that is. */
int file_sync_folder(const char *path, struct err *e) MUST_CHECK;

/* All of `len` bytes to a descriptor that blocks, across short writes and signals. */
int fd_write_all(int fd, const void *bytes, size_t len, struct err *e) MUST_CHECK;

/* 1: all of `len` bytes from the offset `from` on; 0: the file ends before; negative: it can't be read. */
int fd_read_at(int fd, void *to, size_t len, uint64_t from, struct err *e) MUST_CHECK;

/* mkdir -p; folders that are made get `mode`. */
int dir_make(const char *path, mode_t mode, struct err *e) MUST_CHECK;

/* What a directory holds. Takes `fd`, which is closed if that fails: NULL, errno says why. -1, as a failed
 * open() left it, is NULL with the errno that there is. */
DIR *dir_entries(int fd);

/* 1: `*item` is the next one, never "." nor ".."; 0: no more; negative: it can't be read to its end. */
int dir_next(DIR *dir, const struct dirent **item, struct err *e) MUST_CHECK;

/* rm -rf that follows no link and stays on one file system; a missing path is fine. Continues
 * after what can't be removed and reports the first, by `path` alone and not by its own name. CAP_CHOWN is
 * enough for what others own. */
int dir_remove(const char *path, struct err *e) MUST_CHECK;

/* `fmt` as a malloc'ed string (asprintf with an error). */
int text_format(char **text, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4))) MUST_CHECK;
