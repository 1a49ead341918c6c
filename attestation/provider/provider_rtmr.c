/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/provider/provider_rtmr.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "rtmr3:sha384"

bool rtmr_is_there(const char *dir)
{
	CLEANUP(free) char *path = NULL;
	struct err e;

	return dir && text_format(&path, &e, "%s/" FILE_NAME, dir) == 0 && access(path, F_OK) == 0;
}

static int read_named(const char *dir, const char *name, uint8_t value[RTMR_LEN], struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len = 0;

	if (text_format(&path, e, "%s/%s", dir, name) < 0 ||
	    file_read(path, RTMR_LEN, &bytes, &len, e) < 0)
		return err_code(e);
	if (len != RTMR_LEN)
		return err_set(e, ERR_DATA_LOSS, "%s reads as %zu bytes, not %d", name, len,
			       RTMR_LEN);
	memcpy(value, bytes, RTMR_LEN);
	return 0;
}

int rtmr_read(const char *dir, uint8_t value[RTMR_LEN], struct err *e)
{
	return read_named(dir, FILE_NAME, value, e);
}

int rtmr_read_mrconfigid(const char *dir, uint8_t value[RTMR_LEN], struct err *e)
{
	return read_named(dir, "mrconfigid", value, e);
}

/* All at once, from offset 0: the kernel takes nothing less. */
static int extend(const char *dir, const uint8_t *bytes, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	ssize_t n;

	if (text_format(&path, e, "%s/" FILE_NAME, dir) < 0)
		return err_code(e);
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	do
		n = write(fd, bytes, RTMR_LEN);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return err_errno(e, "extend RTMR3");
	return n == RTMR_LEN ? 0
			     : err_set(e, ERR_DATA_LOSS, "RTMR3 took %zd bytes of %d", n, RTMR_LEN);
}

int rtmr_extend(const char *dir, const uint8_t digest_bytes[RTMR_LEN], struct err *e)
{
	uint8_t before[RTMR_LEN], wanted[RTMR_LEN], now[RTMR_LEN];
	const struct digest_part parts[] = { { before, RTMR_LEN }, { digest_bytes, RTMR_LEN } };

	if (rtmr_read(dir, before, e) < 0 ||
	    digest_parts(DIGEST_SHA384, parts, ARRAY_LEN(parts), wanted, e) < 0 ||
	    extend(dir, digest_bytes, e) < 0 || rtmr_read(dir, now, e) < 0)
		return err_code(e);
	if (memcmp(now, wanted, RTMR_LEN) != 0)
		return err_set(e, ERR_DATA_LOSS, "RTMR3 does not hold what was just put into it");
	return 0;
}
