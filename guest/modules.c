/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/modules.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>

static bool module_name_ok(const char *name, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return len > 0 && len <= MODULE_NAME_MAX && name[0] != '.' && strspn(name, letters) >= len;
}

static int module_parse(const char *line, size_t len, struct module *module)
{
	static const char *const words[] = { " needed", " optional" };

	for (int i = 0; i < 2; i++) {
		size_t tail = strlen(words[i]);

		if (len <= tail || memcmp(line + len - tail, words[i], tail) != 0)
			continue;
		if (!module_name_ok(line, len - tail))
			return -1;
		memset(module, 0, sizeof(*module));
		memcpy(module->name, line, len - tail);
		module->optional = i;
		return 0;
	}
	return -1;
}

int modules_parse(const char *text, struct modules *modules, struct err *e)
{
	struct modules list = { .count = 0 };

	for (const char *line = text; *line;) {
		const char *end = strchr(line, '\n');

		if (!end)
			return err_set(e, ERR_INVALID, "module list: the last line has no end");
		if (list.count == MODULES_MAX)
			return err_set(e, ERR_INVALID, "module list: more than %d", MODULES_MAX);
		if (module_parse(line, (size_t)(end - line), &list.module[list.count]) < 0)
			return err_set(e, ERR_INVALID, "module list: line %zu is malformed",
				       list.count + 1);
		list.count++;
		line = end + 1;
	}
	*modules = list;
	return 0;
}

static int module_load(int folder, const struct module *module, struct err *e)
{
	CLEANUP(close) int fd = openat(folder, module->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return err_errno(e, "open module %s", module->name);
	/* ENODEV and ENXIO are how a driver says that its hardware is not there. */
	if (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST &&
	    !(module->optional && (errno == ENODEV || errno == ENXIO)))
		return err_errno(e, "load module %s", module->name);
	return 0;
}

int modules_load(const char *folder, struct err *e)
{
	CLEANUP(close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(free) char *path = NULL, *text = NULL;
	struct modules modules;

	if (fd < 0)
		return err_errno(e, "open '%s'", folder);
	if (text_format(&path, e, "%s/list", folder) < 0 ||
	    file_read_text(path, MODULES_LIST_MAX, &text, e) < 0 ||
	    modules_parse(text, &modules, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < modules.count; i++) {
		if (module_load(fd, &modules.module[i], e) < 0)
			return err_code(e);
		unlinkat(fd, modules.module[i].name, 0);
	}
	return 0;
}
