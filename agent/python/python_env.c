/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/python_env.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

enum { MINOR_MAX = 999 };

/* "python3.11" → 11. */
static bool parse_minor(const char *name, unsigned int *minor)
{
	unsigned long value = 0;
	const char *c = name + strlen("python3.");

	if (strncmp(name, "python3.", strlen("python3.")) != 0 || !*c)
		return false;
	for (; *c; c++) {
		if (*c < '0' || *c > '9' || value > MINOR_MAX)
			return false;
		value = value * 10 + (unsigned long)(*c - '0');
	}
	*minor = (unsigned int)value;
	return value <= MINOR_MAX;
}

int python_runtime_check(const char *word, struct err *e)
{
	unsigned int minor;

	if (!word || !word[0] || strcmp(word, "python3") == 0 || parse_minor(word, &minor))
		return 0;
	return err_set(e, ERR_INVALID, "python runtime %s: use python3 or python3.N",
		       log_quote(word).text);
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
	if (!parse_minor(base, &env->minor))
		return err_set(e, ERR_PRECONDITION,
			       "/usr/bin/%s leads to %s, which is no python3.N", name,
			       log_quote(real).text);
	snprintf(env->interpreter, sizeof(env->interpreter), "/usr/bin/python3.%u", env->minor);
	snprintf(env->site, sizeof(env->site), "lib/python3.%u/site-packages", env->minor);
	env->system = system;
	return 0;
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
	snprintf(own_name, sizeof(own_name), "bin/python3.%u", env->minor);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (symlinkat(env->interpreter, dir, names[i]) < 0)
			return err_errno(e, "environment: link '%s'", names[i]);
	if (symlinkat(env->interpreter, dir, own_name) < 0 || symlinkat("lib", dir, "lib64") < 0)
		return err_errno(e, "environment: link");
	return 0;
}

/* "a.b.c" holds "b". */
static bool tag_has(const char *tags, size_t len, const char *wanted)
{
	while (len > 0) {
		const char *dot = memchr(tags, '.', len);
		size_t part = dot ? (size_t)(dot - tags) : len;

		if (part == strlen(wanted) && memcmp(tags, wanted, part) == 0)
			return true;
		if (!dot)
			return false;
		tags += part + 1;
		len -= part + 1;
	}
	return false;
}

/* Ends one of the tags with "_<machine>" and starts with "linux" or "manylinux"? */
static bool platform_fits(const char *tags, size_t len, const char *machine)
{
	while (len > 0) {
		const char *dot = memchr(tags, '.', len);
		size_t part = dot ? (size_t)(dot - tags) : len, suffix = strlen(machine);
		bool linux_ = (part > 5 && strncmp(tags, "linux", 5) == 0) ||
			      (part > 9 && strncmp(tags, "manylinux", 9) == 0);

		if (linux_ && part > suffix && tags[part - suffix - 1] == '_' &&
		    memcmp(tags + part - suffix, machine, suffix) == 0)
			return true;
		if (!dot)
			return false;
		tags += part + 1;
		len -= part + 1;
	}
	return false;
}

struct field {
	const char *at;
	size_t len;
};

/* name-version[-build]-python-abi-platform.whl (PEP 427). */
static bool split(const char *file, struct field fields[6], size_t *count)
{
	size_t len = strlen(file), n = 0;

	if (len < 5 || strcmp(file + len - 4, ".whl") != 0)
		return false;
	for (const char *at = file, *end = file + len - 4;;) {
		const char *dash = memchr(at, '-', (size_t)(end - at));

		if (n == 6)
			return false;
		fields[n++] = (struct field){ at, (size_t)((dash ? dash : end) - at) };
		if (!dash)
			break;
		at = dash + 1;
	}
	*count = n;
	return n >= 5;
}

static bool abi_fits(const struct python_env *env, const struct field *python,
		     const struct field *abi)
{
	char own[16];

	snprintf(own, sizeof(own), "cp3%u", env->minor);
	if (tag_has(python->at, python->len, own))
		return tag_has(abi->at, abi->len, own) || tag_has(abi->at, abi->len, "abi3") ||
		       tag_has(abi->at, abi->len, "none");
	/* the stable interface of an older version */
	if (tag_has(abi->at, abi->len, "abi3")) {
		for (unsigned int minor = 2; minor < env->minor; minor++) {
			snprintf(own, sizeof(own), "cp3%u", minor);
			if (tag_has(python->at, python->len, own))
				return true;
		}
		return false;
	}
	return tag_has(python->at, python->len, "py3") && tag_has(abi->at, abi->len, "none");
}

static int check_wheel(const struct python_env *env, const char *file, struct field *name,
		       struct field *version, struct err *e)
{
	struct field fields[6];
	struct utsname machine;
	size_t count;

	if (!split(file, fields, &count))
		return err_set(e, ERR_INVALID, "wheels: %s is not named as a wheel",
			       log_quote(file).text);
	const struct field *platform = &fields[count - 1];
	uname(&machine);
	if (!abi_fits(env, &fields[count - 3], &fields[count - 2]) ||
	    !(tag_has(platform->at, platform->len, "any") ||
	      platform_fits(platform->at, platform->len, machine.machine)))
		return err_set(e, ERR_INVALID,
			       "wheels: %s is not for this image's Python 3.%u on "
			       "Linux %s",
			       log_quote(file).text, env->minor, machine.machine);
	*name = fields[0];
	*version = fields[1];
	return 0;
}

/* What lies in name-version.data/purelib and platlib belongs beside the packages; scripts, headers
 * and data are not needed to import them. */
static int spread_one(int site, const char *path, struct err *e)
{
	int fd = openat(site, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "wheels: open '%s'", path);
	CLEANUP(closedir) DIR *dir = fdopendir(fd);
	const struct dirent *item;
	while (dir && (item = readdir(dir))) {
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		if (renameat2(fd, item->d_name, site, item->d_name, RENAME_NOREPLACE) < 0)
			return err_errno(e, "wheels: put %s in place",
					 log_quote(item->d_name).text);
	}
	return 0;
}

static int spread(int site, const struct field *name, const struct field *version, struct err *e)
{
	static const char *const kinds[] = { "purelib", "platlib" };
	char path[400];

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		snprintf(path, sizeof(path), "%.*s-%.*s.data/%s", (int)name->len, name->at,
			 (int)version->len, version->at, kinds[i]);
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
	struct field name = { 0 }, version = { 0 };
	char path[320];

	if (check_wheel(env, file, &name, &version, e) < 0)
		return err_code(e);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", wheels->dir, file);
	if (bundle_extract(path, wheels->site, &limits, e) < 0)
		return err_wrap(e, "wheels: %s", log_quote(file).text);
	return spread(wheels->site, &name, &version, e);
}

int python_env_install(const struct python_env *env, int dir, int wheels, const atomic_bool *cancel,
		       struct err *e)
{
	CLEANUP(close) int site = openat(dir, env->site, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int own = openat(wheels, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *list = own < 0 ? NULL : fdopendir(own);
	const struct dirent *item;
	size_t count = 0;

	if (site < 0 || !list)
		return err_errno(e, "wheels: open");
	const struct wheels into = { .dir = wheels, .site = site, .cancel = cancel };
	while ((item = readdir(list))) {
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		if (++count > PYTHON_WHEELS_MAX)
			return err_set(e, ERR_EXHAUSTED, "wheels: more than %d", PYTHON_WHEELS_MAX);
		if (install_one(env, &into, item->d_name, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* "scikit_learn-1.2.1.dist-info", "six-1.16.0-py3.11.egg-info", "cryptography.egg-info". */
static bool read_info(const char *entry, const char *wanted, char *version, size_t size)
{
	const char *end = strrchr(entry, '.');
	char name[REQUIREMENT_NAME_MAX];

	if (!end || (strcmp(end, ".dist-info") != 0 && strcmp(end, ".egg-info") != 0))
		return false;
	const char *dash = memchr(entry, '-', (size_t)(end - entry));
	const char *name_end = dash ? dash : end;
	if (!requirement_normalize(entry, (size_t)(name_end - entry), name) ||
	    strcmp(name, wanted) != 0)
		return false;
	const char *from = dash ? dash + 1 : end;
	size_t len = (size_t)(end - from);
	const char *python = memmem(from, len, "-py3", 4);
	len = python ? (size_t)(python - from) : len;
	snprintf(version, size, "%.*s", (int)len, from);
	return true;
}

static bool find_in(int dir, const char *wanted, char *version, size_t size)
{
	CLEANUP(closedir) DIR *list = fdopendir(dir);
	const struct dirent *item;
	bool found = false;

	if (!list) {
		close(dir);
		return false;
	}
	/* the one that states a version is preferred: some packages leave both */
	while ((item = readdir(list)))
		if (read_info(item->d_name, wanted, version, size)) {
			found = true;
			if (version[0])
				break;
		}
	return found;
}

bool python_env_has(const struct python_env *env, int dir, const char *name, char *version,
		    size_t size)
{
	char places[3][320];

	version[0] = '\0';
	int own = openat(dir, env->site, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (own >= 0 && find_in(own, name, version, size))
		return true;
	/* in the order of sys.path on Debian */
	snprintf(places[0], sizeof(places[0]), "%s/usr/local/lib/python3.%u/dist-packages",
		 env->system, env->minor);
	snprintf(places[1], sizeof(places[1]), "%s/usr/lib/python3/dist-packages", env->system);
	snprintf(places[2], sizeof(places[2]), "%s/usr/lib/python3.%u/dist-packages", env->system,
		 env->minor);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && find_in(fd, name, version, size))
			return true;
	}
	return false;
}
