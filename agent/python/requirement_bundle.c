/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/requirement_bundle.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/bundle/bundle.h"
#include "common/python/wheel_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

DEFINE_CLEANUP(DIR *, closedir)

enum { ENTRIES_MAX = REQUIREMENT_BUNDLE_WHEELS_MAX + 3 };

static const char magic[] = "PK\3\4";

bool requirement_bundle_is(const void *bytes, size_t len)
{
	return len >= strlen(magic) && memcmp(bytes, magic, strlen(magic)) == 0;
}

static int read_lock(int dir, const struct python_target *target, struct wheel_lock *lock,
		     struct err *e)
{
	CLEANUP(free) uint8_t *text = NULL;
	char path[64];
	size_t len;

	snprintf(path, sizeof(path), "/proc/self/fd/%d/requirements.lock", dir);
	if (file_read(path, REQUIREMENTS_BYTES_MAX, &text, &len, e) < 0)
		return err_wrap(e, "requirements.lock");
	return wheel_lock_parse(text, len, target, lock, e);
}

static int check_cancelled(const atomic_bool *cancel, struct err *e)
{
	return cancel && atomic_load(cancel) ? err_set(e, ERR_CANCELLED, "cancelled") : 0;
}

void requirement_wheels_done(struct requirement_wheels *wheels)
{
	for (size_t i = 0; i < wheels->count; i++)
		free(wheels->items[i].name);
	free(wheels->items);
	*wheels = (struct requirement_wheels){ .count = 0 };
}

static int compare_wheels(const void *a, const void *b)
{
	return strcmp(((const struct requirement_wheel *)a)->name,
		      ((const struct requirement_wheel *)b)->name);
}

/* One that is named like this, and is checked next. */
static int add_wheel(struct requirement_wheels *wheels, const char *name, struct err *e)
{
	if (wheels->count == REQUIREMENT_BUNDLE_WHEELS_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d wheels",
			       REQUIREMENT_BUNDLE_WHEELS_MAX);
	if (!wheels->items)
		wheels->items = calloc(REQUIREMENT_BUNDLE_WHEELS_MAX, sizeof(*wheels->items));
	char *copy = wheels->items ? strdup(name) : NULL;
	if (!copy)
		return err_nomem(e);
	wheels->items[wheels->count++].name = copy;
	return 0;
}

static int check_wheels(int dir, const struct python_target *target, struct wheel_lock *lock,
			const atomic_bool *cancel, struct requirement_wheels *wheels, struct err *e)
{
	int fd = openat(dir, "wheels", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP(closedir) DIR *list = dir_entries(fd);
	const struct dirent *item;
	int more = 0;

	if (!list && errno != ENOENT)
		return err_errno(e, "wheels");
	while (list && (more = dir_next(list, &item, e)) > 0)
		if (check_cancelled(cancel, e) < 0 || add_wheel(wheels, item->d_name, e) < 0 ||
		    wheel_lock_check(lock, fd, item->d_name, target,
				     wheels->items[wheels->count - 1].sha256, e) < 0)
			return err_code(e);
	if (more < 0)
		return err_wrap(e, "wheels");
	if (wheels->count)
		qsort(wheels->items, wheels->count, sizeof(*wheels->items), compare_wheels);
	return wheel_lock_check_all(lock, e);
}

/* What nobody looks at must not be in it. */
static int check_entries(int dir, struct err *e)
{
	static const char *const names[] = { "requirements.txt", "requirements.lock", "wheels" };
	int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *list = dir_entries(own);
	const struct dirent *item;
	int more;

	if (!list)
		return err_errno(e, "open");
	while ((more = dir_next(list, &item, e)) > 0) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(names); i++)
			known |= strcmp(item->d_name, names[i]) == 0;
		if (!known)
			return err_set(
				e, ERR_INVALID,
				"%s: only requirements.txt, requirements.lock and wheels/ may "
				"be in it",
				log_quote(item->d_name).text);
	}
	return more;
}

int requirement_bundle_open(const char *zip, int dir, const struct python_target *target,
			    const atomic_bool *cancel, struct requirement_wheels *wheels,
			    struct err *e)
{
	struct requirement_wheels found = { .count = 0 };
	const struct bundle_limits limits = { .entries = ENTRIES_MAX,
					      .bytes = REQUIREMENT_BUNDLE_BYTES_MAX,
					      .cancel = cancel };
	struct wheel_lock lock = { 0 };
	int failed = bundle_extract(zip, dir, &limits, e);

	if (!failed)
		failed = check_entries(dir, e);
	if (!failed)
		failed = read_lock(dir, target, &lock, e);
	if (!failed)
		failed = check_wheels(dir, target, &lock, cancel, &found, e);
	wheel_lock_done(&lock);
	if (failed)
		requirement_wheels_done(&found);
	else
		*wheels = found;
	return failed ? err_wrap(e, "requirements: bundle") : 0;
}
