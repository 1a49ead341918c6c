/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/unpacking.h"

#include "agent/upload/unpack_into.h"
#include "agent/upload/upload_call.h"

#include <stdlib.h>
#include <string.h>

struct unpacking {
	TAILQ_ENTRY(unpacking) link; /* among those that wait */
	struct upload_call *call;
	char *zip;
	struct unpack_into into;
	atomic_bool cancel;
	int failed;
	struct err e;
};

static void unpacking_free(struct unpacking *p)
{
	unpack_into_done(&p->into);
	free(p->zip);
	free(p);
}
DEFINE_CLEANUP(struct unpacking *, unpacking_free)

static void work(void *data)
{
	struct unpacking *p = data;

	p->failed = unpack_into_run(&p->into, p->zip, &p->cancel, &p->e);
}

static void begin_next(struct uploads *uploads);

/* Answers; `why` is NULL if it is in its place. */
static void end(struct upload_call *u, struct err *why)
{
	upload_call_set_placing(u, false);
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

int unpacking_start(struct upload_call *u, const struct manifest_place *place, struct err *e)
{
	CLEANUP(unpacking_free) struct unpacking *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	p->call = u;
	p->into.dir = -1;
	p->zip = strdup(upload_path(u->upload));
	if (!p->zip)
		return err_nomem(e);
	if (unpack_into_init(&p->into, u->computation, u->asset, place, e) < 0)
		return err_code(e);
	u->stage = UPLOAD_UNPACKING;
	upload_call_set_placing(u, true);
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
