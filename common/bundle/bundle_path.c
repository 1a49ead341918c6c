/* SPDX-License-Identifier: Apache-2.0 */
#include "common/bundle/bundle_path.h"

#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/bundle/bundle.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *name_fault(const char *name, size_t len)
{
	if (len == 0)
		return "has an empty name in it";
	if (len > BUNDLE_NAME_MAX)
		return "has a name of more than 255 bytes in it";
	if ((len == 1 && name[0] == '.') || (len == 2 && name[0] == '.' && name[1] == '.'))
		return "has . or .. in it";
	return NULL;
}

static const char *path_fault(const char *path)
{
	size_t len = strlen(path), depth = 0;

	if (len == 0)
		return "is empty";
	if (len > BUNDLE_PATH_MAX)
		return "is longer than 1024 bytes";
	if (path[0] == '/')
		return "is absolute";
	if (!utf8_valid(path, len))
		return "is not UTF-8";
	if (strchr(path, '\\') || utf8_has_control(path, len))
		return "has a backslash or control character in it";
	if (path[len - 1] == '/')
		len--;
	for (size_t start = 0; start <= len; depth++) {
		const char *slash = memchr(path + start, '/', len - start);
		size_t end = slash ? (size_t)(slash - path) : len;
		const char *fault = name_fault(path + start, end - start);

		if (fault)
			return fault;
		start = end + 1;
	}
	return depth > BUNDLE_DEPTH_MAX ? "is more than 32 names deep" : NULL;
}

int bundle_path_check(const char *path, struct err *e)
{
	const char *fault = path_fault(path);

	if (fault)
		return err_set(e, ERR_INVALID, "path %s %s", log_quote(path).text, fault);
	return 0;
}

int bundle_open_beneath(int dir, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (unsigned int)(flags | O_CLOEXEC | O_NOFOLLOW),
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
}
