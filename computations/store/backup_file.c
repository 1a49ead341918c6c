/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/backup_file.h"

#include "common/base/encode.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIECE = 64 << 10 };

/* The digest of the first `len` bytes, which go to `to` as well, unless that is -1. */
static int digest_and_copy(int fd, uint64_t len, int to, uint8_t out[SHA3_256_LEN], struct err *e)
{
	CLEANUP(digest_free) struct digest_stream *d = digest_new(DIGEST_SHA3_256, e);
	CLEANUP(free) uint8_t *piece = malloc(PIECE);

	if (!d)
		return err_code(e);
	if (!piece)
		return err_nomem(e);
	for (uint64_t at = 0; at < len;) {
		size_t want = len - at < PIECE ? (size_t)(len - at) : PIECE;
		int got = fd_read_at(fd, piece, want, at, e);

		if (got < 0)
			return got;
		if (!got)
			return err_set(e, ERR_DATA_LOSS, "it became shorter");
		if (to >= 0 && fd_write_all(to, piece, want, e) < 0)
			return err_code(e);
		digest_add(d, piece, want);
		at += want;
	}
	return digest_finish(d, out, e);
}

static void write_seal(const uint8_t digest[SHA3_256_LEN], char seal[BACKUP_SEAL_LEN + 1])
{
	char hex[2 * SHA3_256_LEN + 1];

	hex_encode(digest, SHA3_256_LEN, hex);
	snprintf(seal, BACKUP_SEAL_LEN + 1, BACKUP_SEAL_BEGIN "%s\n", hex);
}

int backup_file_seal(const char *path, uint64_t max, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW);
	uint8_t digest[SHA3_256_LEN];
	char seal[BACKUP_SEAL_LEN + 1];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "'%s'", path);
	if ((uint64_t)st.st_size + BACKUP_SEAL_LEN > max)
		return err_set(
			e, ERR_EXHAUSTED,
			"a backup of %llu bytes, and %llu are the most that can be restored: "
			"use the database's own tools",
			(unsigned long long)st.st_size + BACKUP_SEAL_LEN, (unsigned long long)max);
	if (digest_and_copy(fd, (uint64_t)st.st_size, -1, digest, e) < 0)
		return err_wrap(e, "'%s'", path);
	write_seal(digest, seal);
	if (fd_write_all(fd, seal, BACKUP_SEAL_LEN, e) < 0)
		return err_wrap(e, "'%s'", path);
	return fsync(fd) < 0 ? err_errno(e, "write '%s'", path) : 0;
}

/* The last bytes, and how many are before them. */
static int read_seal(int fd, const char *path, uint64_t max, char seal[BACKUP_SEAL_LEN],
		     uint64_t *len, struct err *e)
{
	static const char begin[] = BACKUP_SEAL_BEGIN;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is no regular file", path);
	if ((uint64_t)st.st_size > max)
		return err_set(e, ERR_EXHAUSTED, "'%s' has %llu bytes, and %llu are the most", path,
			       (unsigned long long)st.st_size, (unsigned long long)max);
	*len = st.st_size < BACKUP_SEAL_LEN ? 0 : (uint64_t)st.st_size - BACKUP_SEAL_LEN;
	if (*len && fd_read_at(fd, seal, BACKUP_SEAL_LEN, *len, e) < 0)
		return err_wrap(e, "'%s'", path);
	if (!*len || memcmp(seal, begin, sizeof(begin) - 1) != 0)
		return err_set(
			e, ERR_INVALID,
			"'%s' is no backup that this cocos-computations knows, or its end is "
			"missing: take another copy of it",
			path);
	return 0;
}

int backup_file_unseal(const char *path, uint64_t max, int to, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	char seal[BACKUP_SEAL_LEN], wanted[BACKUP_SEAL_LEN + 1];
	uint8_t digest[SHA3_256_LEN];
	uint64_t len;

	if (fd < 0)
		return err_errno(e, "'%s'", path);
	if (read_seal(fd, path, max, seal, &len, e) < 0)
		return err_code(e);
	if (digest_and_copy(fd, len, to, digest, e) < 0)
		return err_wrap(e, "'%s'", path);
	write_seal(digest, wanted);
	return memcmp(seal, wanted, BACKUP_SEAL_LEN) == 0
		       ? 0
		       : err_set(e, ERR_DATA_LOSS,
				 "'%s' is damaged: its digest is another than its seal's: take "
				 "another copy of it",
				 path);
}
