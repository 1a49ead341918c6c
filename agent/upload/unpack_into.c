/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/unpack_into.h"

#include "common/bundle/bundle.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void reserve(struct unpack_into *to, const struct computation *c, const struct asset *asset)
{
	size_t count = 0;

	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];

		if (a == asset)
			continue;
		to->reserved_places[count] = computation_place(c, a, a->name, false);
		to->reserved[count] = to->reserved_places[count].name;
		if (to->reserved[count][0])
			count++;
	}
	to->reserved[count] = NULL;
}

int unpack_into_init(struct unpack_into *to, const struct computation *c, const struct asset *asset,
		     const struct manifest_place *place, struct err *e)
{
	const char *name = place->kind == MANIFEST_PLACE_CACHE ? "cache" : "datasets";
	CLEANUP(free) char *path = NULL;

	to->dir = -1;
	to->place = *place;
	if (computation_path(c, name, &path, e) < 0)
		return err_code(e);
	to->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to->dir < 0)
		return err_errno(e, "open '%s'", path);
	reserve(to, c, asset);
	return 0;
}

void unpack_into_done(struct unpack_into *to)
{
	if (to->dir >= 0)
		close(to->dir);
	to->dir = -1;
}

/* In a folder of its own, which goes again if it fails. */
static int unpack_apart(const struct unpack_into *to, const char *zip, struct bundle_limits *limits,
			struct err *e)
{
	const char *name = to->place.name;

	if (mkdirat(to->dir, name, 0755) < 0)
		return err_errno(e, "make datasets/%s", name);
	CLEANUP(close)
	int folder = openat(to->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int failed = folder < 0 ? err_errno(e, "open datasets/%s", name) : 0;

	limits->strip = name;
	if (!failed)
		failed = bundle_extract(zip, folder, limits, e);
	if (failed)
		unlinkat(to->dir, name, AT_REMOVEDIR);
	return failed;
}

static int unpack(const struct unpack_into *to, const char *zip, const atomic_bool *cancel,
		  struct err *e)
{
	struct bundle_limits limits = { .cancel = cancel };

	if (to->place.kind == MANIFEST_PLACE_FOLDER)
		return unpack_apart(to, zip, &limits, e);
	if (to->place.kind == MANIFEST_PLACE_UNION)
		limits.reserved = to->reserved;
	return bundle_extract(zip, to->dir, &limits, e);
}

/* ERR_EXISTS would tell the owner that his dataset is here. */
int unpack_into_run(const struct unpack_into *to, const char *zip, const atomic_bool *cancel,
		    struct err *e)
{
	int failed = unpack(to, zip, cancel, e);

	if (!err_is(failed, ERR_EXISTS))
		return failed;
	e->code = ERR_PRECONDITION;
	return err_code(e);
}
