/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/unpacking.h"

#include "agent/upload/upload_call.h"
#include "common/bundle/bundle.h"
#include "common/manifest/manifest.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct unpacking {
	TAILQ_ENTRY(unpacking) link; /* among those that wait */
	struct upload_call *call;
	char *zip;
	int dir; /* datasets/, or that of caches */
	struct manifest_place place;
	struct manifest_place reserved_places[MANIFEST_DATASETS_MAX];
	const char *reserved[MANIFEST_DATASETS_MAX + 1];
	atomic_bool cancel;
	int failed;
	struct err e;
};

static void unpacking_free(struct unpacking *p)
{
	if (p->dir >= 0)
		close(p->dir);
	free(p->zip);
	free(p);
}
DEFINE_CLEANUP(struct unpacking *, unpacking_free)

static void set_placing(struct upload_call *u, bool placing)
{
	u->asset->placing = placing;
	if (placing)
		u->computation->placing++;
	else
		u->computation->placing--;
}

/* In a folder of its own, which goes again if it fails. */
static int unpack_apart(struct unpacking *p, struct bundle_limits *limits, struct err *e)
{
	const char *name = p->place.name;

	if (mkdirat(p->dir, name, 0755) < 0)
		return err_errno(e, "make datasets/%s", name);
	CLEANUP(close)
	int folder = openat(p->dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int failed = folder < 0 ? err_errno(e, "open datasets/%s", name) : 0;

	limits->strip = name;
	if (!failed)
		failed = bundle_extract(p->zip, folder, limits, e);
	if (failed)
		unlinkat(p->dir, name, AT_REMOVEDIR);
	return failed;
}

static void work(void *data)
{
	struct unpacking *p = data;
	struct bundle_limits limits = { .cancel = &p->cancel };

	if (p->place.kind == MANIFEST_PLACE_FOLDER) {
		p->failed = unpack_apart(p, &limits, &p->e);
		return;
	}
	if (p->place.kind == MANIFEST_PLACE_UNION)
		limits.reserved = p->reserved;
	p->failed = bundle_extract(p->zip, p->dir, &limits, &p->e);
}

static void begin_next(struct uploads *uploads);

/* Answers; `why` is NULL if it is in its place. */
static void end(struct upload_call *u, struct err *why)
{
	set_placing(u, false);
	if (why) {
		err_wrap(why, "Data: decompress");
		upload_call_finish(u, why);
	} else {
		upload_call_placed(u);
	}
}

static void done(struct rpc_call *call, void *data)
{
	struct unpacking *p = data;
	struct upload_call *u = p->call;
	struct uploads *uploads = u->uploads;
	const struct uploads_config *config = &uploads->config;
	struct err e = p->e, ignored;
	int failed = p->failed;

	unpacking_free(p);
	uploads->unpacking = NULL;
	begin_next(uploads);
	if (u->computation->over ||
	    config->callbacks->expects(config->data, UPLOAD_DATASET, &ignored) < 0)
		failed = err_set(&e, ERR_ABORTED, "the computation has ended");
	end(u, failed ? &e : NULL);
	config->callbacks->released(config->data);
}

static void begin_next(struct uploads *uploads)
{
	struct unpacking *p;

	while (!uploads->unpacking && (p = TAILQ_FIRST(&uploads->waiting))) {
		struct upload_call *u = p->call;
		struct err e;

		TAILQ_REMOVE(&uploads->waiting, p, link);
		uploads->unpacking = p;
		if (rpc_call_job(u->call, work, done, p, &e) == 0)
			return;
		uploads->unpacking = NULL;
		unpacking_free(p);
		end(u, &e);
		uploads->config.callbacks->released(uploads->config.data);
	}
}

/* Every other dataset's place is its own. */
static void reserve(struct unpacking *p)
{
	const struct computation *c = p->call->computation;
	size_t count = 0;

	for (size_t i = 0; i < c->dataset_count; i++) {
		const struct asset *a = &c->datasets[i];

		if (a == p->call->asset)
			continue;
		p->reserved_places[count] = computation_place(c, a, a->name, false);
		p->reserved[count] = p->reserved_places[count].name;
		if (p->reserved[count][0])
			count++;
	}
	p->reserved[count] = NULL;
}

int unpacking_start(struct upload_call *u, const struct manifest_place *place, struct err *e)
{
	CLEANUP(unpacking_free) struct unpacking *p = calloc(1, sizeof(*p));
	CLEANUP(free) char *path = NULL;

	if (!p)
		return err_nomem(e);
	p->call = u;
	p->dir = -1;
	p->place = *place;
	p->zip = strdup(upload_path(u->upload));
	if (!p->zip)
		return err_nomem(e);
	if (computation_path(u->computation,
			     place->kind == MANIFEST_PLACE_CACHE ? "cache" : "datasets", &path,
			     e) < 0)
		return err_code(e);
	p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return err_errno(e, "open '%s'", path);
	reserve(p);
	u->stage = UPLOAD_UNPACKING;
	set_placing(u, true);
	TAILQ_INSERT_TAIL(&u->uploads->waiting, p, link);
	(void)TAKE_PTR(p);
	begin_next(u->uploads);
	return 0;
}

void unpacking_stop(struct uploads *uploads, const struct err *why)
{
	struct unpacking *p;

	if (uploads->unpacking)
		atomic_store(&uploads->unpacking->cancel, true);
	while ((p = TAILQ_FIRST(&uploads->waiting))) {
		struct upload_call *u = p->call;
		struct err e = *why;

		TAILQ_REMOVE(&uploads->waiting, p, link);
		unpacking_free(p);
		end(u, &e);
	}
}
