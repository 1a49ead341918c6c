/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bundle/bundle_zip.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
	END_LEN = 22,     /* APPNOTE 4.3.16 without its comment */
	LOCATOR_LEN = 20, /* 4.3.15 */
	END64_LEN = 56,   /* 4.3.14 */
	TAIL_MAX = END_LEN + 65535 + LOCATOR_LEN,
};

int bundle_zip_fault(struct err *e, zip_error_t *error, const char *what)
{
	int code = zip_error_code_zip(error);
	enum err_code ours = ERR_INVALID;

	/* what the machine lacks is no fault of the archive */
	if (zip_error_system_type(error) == ZIP_ET_SYS && zip_error_code_system(error)) {
		errno = zip_error_code_system(error);
		return err_errno(e, "%s", what);
	}
	if (code == ZIP_ER_MEMORY || (zip_error_system_type(error) == ZIP_ET_ZLIB &&
				      zip_error_code_system(error) == Z_MEM_ERROR))
		ours = ERR_EXHAUSTED;
	else if (code == ZIP_ER_INTERNAL)
		ours = ERR_INTERNAL;
	return err_set(e, ours, "%s: %s", what, zip_error_strerror(error));
}

int bundle_zip_entries_check(uint64_t count, uint64_t most, struct err *e)
{
	if (count > most)
		return err_set(e, ERR_EXHAUSTED, "%llu entries: the limit is %llu",
			       (unsigned long long)count, (unsigned long long)most);
	return 0;
}

/* A 64-bit end record at the offset that a locator names: its count of entries (4.3.14). An archive inside
 * of this one has locators too, which lead elsewhere from here: libzip passes over what is no such
 * record before it allocates, and so do we. */
static int check_end64(int fd, const uint8_t *locator, uint64_t most, struct err *e)
{
	uint8_t record[END64_LEN];
	struct reader r = reader_over(locator, LOCATOR_LEN);

	if (reader_le32(&r) != 0x07064b50)
		return 0;
	reader_skip(&r, 4);
	uint64_t offset = reader_le64(&r);
	int whole = offset > INT64_MAX - END64_LEN
			    ? 0
			    : fd_read_at(fd, record, sizeof(record), offset, e);
	if (whole < 0)
		return err_code(e);
	if (!whole)
		return err_set(e, ERR_INVALID, "zip64 end record lies outside the file");
	r = reader_over(record, sizeof(record));
	if (reader_le32(&r) != 0x06064b50)
		return 0;
	reader_skip(&r, 20);
	uint64_t on_disk = reader_le64(&r), total = reader_le64(&r);
	if (bundle_zip_entries_check(on_disk, most, e) < 0)
		return err_code(e);
	return bundle_zip_entries_check(total, most, e);
}

/* libzip allocates for as many entries as the archive claims before we could count them. Only the
 * 64-bit end record can claim more than 65535, so every place where one could be is looked at. */
static int check_claims(int fd, uint64_t file_size, uint64_t most, struct err *e)
{
	size_t len = file_size < TAIL_MAX ? (size_t)file_size : TAIL_MAX;
	CLEANUP(free) uint8_t *tail = malloc(len + 1);

	if (!tail)
		return err_nomem(e);
	int whole = fd_read_at(fd, tail, len, file_size - len, e);
	if (whole < 0)
		return err_code(e);
	if (!whole)
		return err_set(e, ERR_ABORTED, "the file changed while it was read");
	for (size_t at = LOCATOR_LEN; at + 4 <= len; at++)
		if (memcmp(tail + at, "PK\5\6", 4) == 0 &&
		    check_end64(fd, tail + at - LOCATOR_LEN, most, e) < 0)
			return err_code(e);
	return 0;
}

int bundle_zip_open(const char *file, uint64_t most, zip_t **zip, uint64_t *file_size,
		    struct err *e)
{
	CLEANUP(close) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int code = 0;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open '%s'", file);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "not a file");
	if (check_claims(fd, (uint64_t)st.st_size, most, e) < 0)
		return err_code(e);

	zip_t *opened = zip_fdopen(fd, ZIP_CHECKCONS, &code);
	if (!opened) {
		zip_error_t error;

		zip_error_init_with_code(&error, code);
		bundle_zip_fault(e, &error, "not a usable zip");
		zip_error_fini(&error);
		return err_code(e);
	}
	fd = -1; /* libzip's now */
	*zip = opened;
	*file_size = (uint64_t)st.st_size;
	return 0;
}
