/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/python_packages.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

DEFINE_CLEANUP(DIR *, closedir)

enum { PLACES = 4 };

/* In the order of sys.path on Debian; the environment's own comes first. */
static int open_place(const struct python_env *env, int dir, size_t place)
{
	unsigned int minor = env->target.minor;
	char path[320];

	if (place == 0)
		return openat(dir, env->site, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (place == 1)
		snprintf(path, sizeof(path), "%s/usr/local/lib/python3.%u/dist-packages",
			 env->system, minor);
	else if (place == 2)
		snprintf(path, sizeof(path), "%s/usr/lib/python3/dist-packages", env->system);
	else
		snprintf(path, sizeof(path), "%s/usr/lib/python3.%u/dist-packages", env->system,
			 minor);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* "scikit_learn-1.2.1.dist-info", "six-1.16.0-py3.11.egg-info", "cryptography.egg-info". */
static bool read_info(const char *entry, size_t place, struct python_package *package)
{
	const char *end = strrchr(entry, '.');

	if (!end || (strcmp(end, ".dist-info") != 0 && strcmp(end, ".egg-info") != 0))
		return false;
	const char *dash = memchr(entry, '-', (size_t)(end - entry));
	const char *name_end = dash ? dash : end;
	if (!requirement_normalize(entry, (size_t)(name_end - entry), package->name))
		return false;
	const char *from = dash ? dash + 1 : end;
	size_t len = (size_t)(end - from);
	const char *python = memmem(from, len, "-py3", 4);
	len = python ? (size_t)(python - from) : len;
	if (len >= sizeof(package->version))
		len = 0; /* too long for any */
	memcpy(package->version, from, len);
	package->version[len] = '\0';
	snprintf(package->info, sizeof(package->info), "%s", entry);
	package->place = place;
	return true;
}

struct walk {
	DIR *list;
	size_t place, seen;
};

/* As dir_next(). */
static int walk_next(struct walk *w, struct python_package *package, struct err *e)
{
	const struct dirent *item;
	int more = 0;

	while (w->seen++ < PYTHON_ENTRIES_MAX && (more = dir_next(w->list, &item, e)) > 0)
		if (read_info(item->d_name, w->place, package))
			return 1;
	return more < 0 ? err_wrap(e, "packages: place %zu", w->place) : 0;
}

/* A place that this image does not have is an empty one: `list` NULL. */
static int walk_begin(struct walk *w, const struct python_env *env, int dir, size_t place,
		      struct err *e)
{
	int fd = open_place(env, dir, place);

	*w = (struct walk){ .list = dir_entries(fd), .place = place };
	if (!w->list && fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	return w->list ? 0 : err_errno(e, "packages: list place %zu", place);
}

static int find_in(const struct python_env *env, int dir, size_t place, const char *wanted,
		   struct python_package *package, bool *found, struct err *e)
{
	struct python_package next;
	struct walk w;
	int more = 0;

	*found = false;
	if (walk_begin(&w, env, dir, place, e) < 0)
		return err_code(e);
	/* the one that states a version is preferred: some packages leave both */
	while (w.list && (!*found || !package->version[0]) && (more = walk_next(&w, &next, e)) > 0)
		if (strcmp(next.name, wanted) == 0) {
			*package = next;
			*found = true;
		}
	if (w.list)
		closedir(w.list);
	return more < 0 ? err_code(e) : 0;
}

int python_package_find(const struct python_env *env, int dir, const char *name,
			struct python_package *package, bool *found, struct err *e)
{
	*found = false;
	for (size_t place = dir < 0; place < PLACES && !*found; place++)
		if (find_in(env, dir, place, name, package, found, e) < 0)
			return err_code(e);
	return 0;
}

int python_package_metadata(const struct python_env *env, int dir,
			    const struct python_package *package, char **text, struct err *e)
{
	CLEANUP(close) int place = open_place(env, dir, package->place);
	char path[340];

	if (place < 0)
		return err_errno(e, "packages: open");
	if (!strstr(package->info, ".dist-info"))
		return err_set(e, ERR_PRECONDITION, "%s is installed as an egg", package->name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s/METADATA", place, package->info);
	return file_read_text(path, PYTHON_METADATA_MAX, text, e);
}

static int by_name(const void *a, const void *b)
{
	const struct python_package *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	if (c == 0)
		c = (x->place > y->place) - (x->place < y->place);
	return c ? c : !x->version[0] - !y->version[0];
}

static int add(struct python_packages *all, const struct python_package *package, struct err *e)
{
	if (all->count == PYTHON_PACKAGES_MAX)
		return err_set(e, ERR_EXHAUSTED, "packages: the image has more than %d",
			       PYTHON_PACKAGES_MAX);
	all->items[all->count++] = *package;
	return 0;
}

/* The first place that has a package is the one that counts. */
static void drop_doubles(struct python_packages *all)
{
	size_t kept = 0;

	if (all->count > 0)
		qsort(all->items, all->count, sizeof(*all->items), by_name);
	for (size_t i = 0; i < all->count; i++)
		if (kept == 0 || strcmp(all->items[kept - 1].name, all->items[i].name) != 0)
			all->items[kept++] = all->items[i];
	all->count = kept;
}

int python_packages_list(const struct python_env *env, struct python_packages *packages,
			 struct err *e)
{
	__attribute__((cleanup(python_packages_done))) struct python_packages all = { 0 };
	struct python_package next;

	all.items = calloc(PYTHON_PACKAGES_MAX, sizeof(*all.items));
	if (!all.items)
		return err_nomem(e);
	for (size_t place = 1; place < PLACES; place++) {
		CLEANUP(closedir) DIR *list = NULL;
		struct walk w;
		int more = 0;

		if (walk_begin(&w, env, -1, place, e) < 0)
			return err_code(e);
		list = w.list;
		while (list && (more = walk_next(&w, &next, e)) > 0)
			if (add(&all, &next, e) < 0)
				return err_code(e);
		if (more < 0)
			return err_code(e);
	}
	drop_doubles(&all);
	*packages = all;
	all = (struct python_packages){ 0 };
	return 0;
}

void python_packages_done(struct python_packages *packages)
{
	free(packages->items);
	*packages = (struct python_packages){ 0 };
}
