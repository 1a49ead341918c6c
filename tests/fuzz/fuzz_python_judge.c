/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is missing of requirements, in an environment and an image that say anything of themselves: the
 * requirements, and then an entry's name and its METADATA for each package, with a zero byte after each.
 * A name begins with the place where it lies, 0 (the environment) to 3.
 */
#include "agent/python/python_judge.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "tests/fuzz/pieces.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { PLACES = 4, PATH_LEN = 400 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const char *const places[PLACES] = {
	"lib/python3.11/site-packages",
	"usr/local/lib/python3.11/dist-packages",
	"usr/lib/python3/dist-packages",
	"usr/lib/python3.11/dist-packages",
};

static void install(const char *top, const char *name, const char *metadata)
{
	char path[PATH_LEN];
	struct err e;

	if (*name < '0' || *name >= '0' + PLACES || strchr(name, '/') || strlen(name) > 255)
		return;
	snprintf(path, sizeof(path), "%s/%s", top, places[*name - '0']);
	assert(dir_make(path, 0700, &e) == 0);
	snprintf(path, sizeof(path), "%s/%s/%s", top, places[*name - '0'], name + 1);
	if (mkdir(path, 0700) < 0 || !*metadata)
		return;
	strncat(path, "/METADATA", sizeof(path) - strlen(path) - 1);
	assert(file_write(path, metadata, strlen(metadata), 0600, &e) == 0);
}

/* Each package once, in order, and found again by its name. */
static void list(const struct python_env *env)
{
	struct python_packages all;
	struct python_package found;
	struct err e;
	bool is;

	assert(python_packages_list(env, &all, &e) == 0);
	for (size_t i = 0; i < all.count; i++) {
		assert(i == 0 || strcmp(all.items[i - 1].name, all.items[i].name) < 0);
		assert(python_package_find(env, -1, all.items[i].name, &found, &is, &e) == 0 && is);
		assert(found.place == all.items[i].place);
	}
	python_packages_done(&all);
}

/* What is neither there nor missing does not exist: a line for each that is missing. */
static void judge(const struct python_env *env, int dir, const struct requirements *r)
{
	struct python_missing missing;
	struct python_package found;
	struct err e = { 0 };
	size_t lines = 0, gone = 0;
	bool is;

	if (python_judge(env, dir, r, NULL, &missing, &e) < 0) {
		assert(e.text[0]);
		return;
	}
	for (size_t i = 0; i < missing.lines.len; i++)
		lines += missing.lines.bytes[i] == '\n';
	assert(missing.lines.bad || lines == missing.count);
	for (size_t i = 0; i < r->count; i++) {
		assert(python_package_find(env, dir, r->items[i].name, &found, &is, &e) == 0);
		gone += !is;
	}
	assert(gone <= missing.count);
	python_missing_done(&missing);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char top[] = "/dev/shm/fuzz-judge-XXXXXX";
	const struct python_env env = { .target = { 11, 36, "x86_64" },
					.site = "lib/python3.11/site-packages",
					.system = top };
	struct span rest = { bytes, len };
	CLEANUP(free) char *text = NULL;
	struct requirements r;
	struct err e;

	if (!piece_next(&rest, &text) ||
	    requirements_parse(text, strlen(text), &env.target, &r, &e) < 0)
		return 0;
	assert(mkdtemp(top));
	for (;;) {
		CLEANUP(free) char *name = NULL;
		CLEANUP(free) char *metadata = NULL;

		if (!piece_next(&rest, &name) || !piece_next(&rest, &metadata))
			break;
		install(top, name, metadata);
	}
	int dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert(dir >= 0);
	judge(&env, dir, &r);
	list(&env);
	close(dir);
	assert(dir_remove(top, &e) == 0);
	requirements_done(&r);
	return 0;
}
