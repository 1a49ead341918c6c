/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/python_env.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/python/wheel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

/* "python3.11" → 11. */
static bool parse_minor(const char *name, unsigned int *minor)
{
	unsigned long value = 0;
	const char *c = name + strlen("python3.");

	if (strncmp(name, "python3.", strlen("python3.")) != 0 || !*c)
		return false;
	for (; *c; c++) {
		if (*c < '0' || *c > '9' || value > PYTHON_MINOR_MAX)
			return false;
		value = value * 10 + (unsigned long)(*c - '0');
	}
	*minor = (unsigned int)value;
	return value <= PYTHON_MINOR_MAX;
}

int python_runtime_check(const char *word, struct err *e)
{
	unsigned int minor;

	if (!word || !word[0] || strcmp(word, "python3") == 0 || parse_minor(word, &minor))
		return 0;
	return err_set(e, ERR_INVALID, "python runtime %s: use python3 or python3.N",
		       log_quote(word).text);
}

/* The agent runs on the C library of the image that it judges for. */
static int target_of_machine(struct python_target *target, struct err *e)
{
	struct utsname machine;

	if (uname(&machine) < 0 || strlen(machine.machine) >= sizeof(target->machine))
		return err_set(e, ERR_INTERNAL, "this machine's kind can't be told");
	snprintf(target->machine, sizeof(target->machine), "%.31s", machine.machine);
	target->glibc = 0;
	if (sscanf(gnu_get_libc_version(), "2.%3u", &target->glibc) != 1)
		return err_set(e, ERR_INTERNAL, "this C library's version can't be told");
	return 0;
}

int python_env_find(const char *runtime, const char *system, struct python_env *env, struct err *e)
{
	char path[512], real[4096];
	const char *name = runtime && runtime[0] ? runtime : "python3";

	if (python_runtime_check(runtime, e) < 0)
		return err_code(e);
	snprintf(path, sizeof(path), "%s/usr/bin/%s", system, name);
	if (!realpath(path, real))
		return err_set(e, ERR_PRECONDITION, "this image has no /usr/bin/%s", name);
	const char *base = strrchr(real, '/') + 1;
	if (!parse_minor(base, &env->target.minor))
		return err_set(e, ERR_PRECONDITION,
			       "/usr/bin/%s leads to %s, which is no python3.N", name,
			       log_quote(real).text);
	snprintf(env->interpreter, sizeof(env->interpreter), "/usr/bin/python3.%u",
		 env->target.minor);
	snprintf(env->site, sizeof(env->site), "lib/python3.%u/site-packages", env->target.minor);
	env->system = system;
	return target_of_machine(&env->target, e);
}

static int make_dirs(int dir, const char *path, struct err *e)
{
	char part[128];

	for (const char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
		size_t len = slash ? (size_t)(slash - path) : strlen(path);

		memcpy(part, path, len);
		part[len] = '\0';
		if (mkdirat(dir, part, 0755) < 0 && errno != EEXIST)
			return err_errno(e, "environment: make '%s'", part);
		/* against the umask: the jail's nobody has to read it */
		if (fchmodat(dir, part, 0755, 0) < 0)
			return err_errno(e, "environment: make '%s'", part);
		if (!slash)
			return 0;
	}
}

/* PEP 405: the file beside bin/ makes the interpreter see the environment. */
int python_env_make(const struct python_env *env, int dir, struct err *e)
{
	static const char text[] = "home = /usr/bin\ninclude-system-site-packages = true\n";
	static const char *const names[] = { "bin/python", "bin/python3" };
	char own_name[48];

	if (make_dirs(dir, "bin", e) < 0 || make_dirs(dir, env->site, e) < 0)
		return err_code(e);
	CLEANUP(close)
	int fd = openat(dir, "pyvenv.cfg", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || fchmod(fd, 0644) < 0)
		return err_errno(e, "environment: make 'pyvenv.cfg'");
	if (fd_write_all(fd, text, strlen(text), e) < 0)
		return err_code(e);
	snprintf(own_name, sizeof(own_name), "bin/python3.%u", env->target.minor);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (symlinkat(env->interpreter, dir, names[i]) < 0)
			return err_errno(e, "environment: link '%s'", names[i]);
	if (symlinkat(env->interpreter, dir, own_name) < 0 || symlinkat("lib", dir, "lib64") < 0)
		return err_errno(e, "environment: link");
	return 0;
}

/* What lies in name-version.data/purelib and platlib belongs beside the packages; scripts, headers
 * and data are not needed to import them. */
static int spread_one(int site, const char *path, struct err *e)
{
	int fd = openat(site, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "wheels: open '%s'", path);
	CLEANUP(closedir) DIR *dir = dir_entries(fd);
	const struct dirent *item;
	int more;
	if (!dir)
		return err_errno(e, "wheels: open '%s'", path);
	while ((more = dir_next(dir, &item, e)) > 0)
		if (renameat2(fd, item->d_name, site, item->d_name, RENAME_NOREPLACE) < 0)
			return err_errno(e, "wheels: put %s in place",
					 log_quote(item->d_name).text);
	return more < 0 ? err_wrap(e, "wheels: '%s'", path) : 0;
}

static int spread(int site, const struct wheel_name *wheel, struct err *e)
{
	static const char *const kinds[] = { "purelib", "platlib" };
	char path[400];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(path, sizeof(path), "%s.data/%s", wheel->stem, kinds[i]);
		if (spread_one(site, path, e) < 0)
			return err_code(e);
	}
	return 0;
}

struct wheels {
	int dir, site;
	const atomic_bool *cancel;
};

static int install_one(const struct python_env *env, const struct wheels *wheels, const char *file,
		       struct err *e)
{
	const struct bundle_limits limits = { .bytes = PYTHON_WHEEL_BYTES_MAX,
					      .cancel = wheels->cancel };
	struct wheel_name wheel;
	char path[320];

	if (wheel_name_parse(file, &env->target, &wheel, e) < 0)
		return err_wrap(e, "wheels");
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", wheels->dir, file);
	if (bundle_extract(path, wheels->site, &limits, e) < 0)
		return err_wrap(e, "wheels: %s", log_quote(file).text);
	return spread(wheels->site, &wheel, e);
}

/* In the order of their names, so that what is wrong is the same each time. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_no_dots(const struct dirent *item)
{
	return strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0;
}

int python_env_install(const struct python_env *env, int dir, int wheels, const atomic_bool *cancel,
		       struct err *e)
{
	CLEANUP(close) int site = openat(dir, env->site, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct wheels into = { .dir = wheels, .site = site, .cancel = cancel };
	struct dirent **items = NULL;
	int count, failed = 0;

	if (site < 0)
		return err_errno(e, "wheels: open");
	count = scandirat(wheels, ".", &items, is_no_dots, by_name);
	if (count < 0)
		return err_errno(e, "wheels: read");
	if (count > PYTHON_WHEELS_MAX)
		failed = err_set(e, ERR_EXHAUSTED, "wheels: more than %d", PYTHON_WHEELS_MAX);
	for (int i = 0; i < count; i++) {
		if (!failed)
			failed = install_one(env, &into, items[i]->d_name, e);
		free(items[i]);
	}
	free(items);
	return failed;
}
