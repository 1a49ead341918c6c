/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/upload_call.h"

#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* ---- its life ---- */

struct upload_call *upload_call_new(struct uploads *uploads, const struct upload_kind *kind,
				    struct computation *c, struct rpc_call *call)
{
	struct upload_call *u = calloc(1, sizeof(*u));

	if (!u)
		return NULL;
	u->kind = kind;
	u->refs = 1;
	u->uploads = uploads;
	u->computation = computation_ref(c);
	u->call = rpc_call_ref(call);
	u->requirements = writer_up_to(REQUIREMENTS_BYTES_MAX);
	return u;
}

void upload_call_unref(struct upload_call *u)
{
	bool last = LIST_EMPTY(&u->uploads->calls);

	if (--u->refs > 0)
		return;
	access_done(&u->access);
	writer_done(&u->requirements);
	free(u->filename);
	computation_unref(u->computation);
	rpc_call_unref(u->call);
	free(u);
	if (last)
		malloc_trim(0); /* see main.c */
}

static void over(struct upload_call *u)
{
	u->stage = UPLOAD_OVER;
	upload_free(TAKE_PTR(u->bundle));
	LIST_REMOVE(u, link);
	u->uploads->count--;
}

void upload_call_finish(struct upload_call *u, const struct err *e)
{
	over(u);
	upload_free(TAKE_PTR(u->upload));
	if (e)
		rpc_call_finish(u->call, e);
	else
		rpc_call_reply(u->call, u->kind->response);
	upload_call_unref(u);
}

void upload_call_cut(struct upload_call *u)
{
	bool begun = u->stage == UPLOAD_BEGUN;

	/* What is cut off within the requirements is not worth keeping. */
	if (begun || (!u->upload && (u->stage == UPLOAD_FLOWING || u->stage == UPLOAD_PAUSED))) {
		over(u);
		upload_call_unref(u);
	} else if (u->stage == UPLOAD_FLOWING || u->stage == UPLOAD_PAUSED) {
		u->stage = UPLOAD_CUT;
		upload_end(u->upload);
	}
}

/* ---- the file ---- */

/* Cut off: what has come is kept, if it is certain what it is the beginning of. */
static void keep(struct upload_call *u)
{
	struct asset *a = u->asset;
	struct upload *upload = TAKE_PTR(u->upload);
	struct err e;

	upload_attach(upload, NULL, NULL);
	if (!a || a->received || u->computation->over || upload_failure(upload, &e) < 0 ||
	    upload_size(upload) == 0 || (a->kept && upload_size(a->kept) >= upload_size(upload))) {
		upload_free(upload);
		return;
	}
	upload_free(a->kept);
	a->kept = upload;
	log_info("an upload was cut off; %llu bytes are kept",
		 (unsigned long long)upload_size(upload));
}

static int judge(struct upload_call *u, struct err *e)
{
	const struct uploads_config *config = &u->uploads->config;
	uint8_t digest[SHA3_256_LEN];
	int failed = upload_digest(u->upload, digest, e);

	if (!failed)
		failed = u->kind->settle(u, digest, e);
	if (failed)
		return failed;
	if (u->asset->received || u->asset->placing)
		return err_set(e, ERR_EXISTS, "%s: it is here already", u->kind->method);
	failed = config->callbacks->expects(config->data, u->kind->asset, e);
	return failed ? err_wrap(e, "%s", u->kind->method) : 0;
}

/* Nothing is under way any more. */
static void all_ended(struct upload_call *u)
{
	struct err e;

	u->refs++; /* placing it may end it */
	if (u->stage == UPLOAD_CUT) {
		keep(u);
		over(u);
		upload_call_unref(u);
	} else if (judge(u, &e) < 0 || u->kind->place(u, &e) < 0) {
		upload_call_finish(u, &e);
	} else if (u->stage == UPLOAD_WHOLE) {
		upload_call_placed(u);
	}
	upload_call_unref(u);
}

static void on_ended(void *data)
{
	struct upload_call *u = data;

	u->asset_ended = true;
	if (!u->bundle || u->bundle_ended || u->stage == UPLOAD_CUT)
		all_ended(u);
}

bool upload_call_is_full(const struct upload_call *u)
{
	return (u->upload && upload_is_full(u->upload)) ||
	       (u->bundle && !u->bundle_ended && upload_is_full(u->bundle));
}

static void go_on(struct upload_call *u)
{
	if (u->stage != UPLOAD_PAUSED || upload_call_is_full(u))
		return;
	u->stage = UPLOAD_FLOWING;
	rpc_call_resume(u->call);
}

static void on_bundle_ended(void *data)
{
	struct upload_call *u = data;
	struct err e;

	u->bundle_ended = true;
	if (u->stage == UPLOAD_CUT)
		return;
	if (upload_digest(u->bundle, u->bundle_digest, &e) < 0)
		upload_call_finish(u, &e);
	else if (u->asset_ended)
		all_ended(u);
	else
		go_on(u); /* what ends does not tell of room any more */
}

static void on_room(void *data)
{
	struct upload_call *u = data;
	struct err e;

	if ((u->upload && upload_failure(u->upload, &e) < 0) ||
	    (u->bundle && upload_failure(u->bundle, &e) < 0)) {
		upload_call_finish(u, &e);
	} else {
		go_on(u);
	}
}

static const struct upload_callbacks callbacks = { .room = on_room, .ended = on_ended };
static const struct upload_callbacks bundle_callbacks = { .room = on_room,
							  .ended = on_bundle_ended };

static int make_file(const struct upload_call *u, struct upload **upload, struct err *e)
{
	const struct uploads_config *config = &u->uploads->config;
	CLEANUP(free) char *path = NULL;
	char name[32];
	int failed;

	snprintf(name, sizeof(name), "uploads/%" PRIu64, u->computation->upload_names++);
	failed = computation_path(u->computation, name, &path, e);
	return failed ? failed : upload_new(config->loop, path, config->asset_max, upload, e);
}

static void begin_flow(struct upload_call *u)
{
	u->stage = UPLOAD_FLOWING;
	rpc_call_prove(u->call);
	rpc_call_bulk(u->call);
}

int upload_call_open(struct upload_call *u, struct err *e)
{
	int failed = u->kind->check_owner(u, e);
	struct asset *a = u->asset;
	uint64_t kept = !failed && a && a->kept ? upload_size(a->kept) : 0;

	if (failed)
		return failed;
	if (u->access.has_offset && u->access.offset != kept)
		return err_set(e, ERR_PRECONDITION,
			       "%s %llu: %llu bytes are kept; " PROOF_REFUSED_OFFSET,
			       PROOF_OFFSET_KEY, (unsigned long long)u->access.offset,
			       (unsigned long long)kept);
	if (u->access.has_offset && kept > 0)
		u->upload = TAKE_PTR(a->kept);
	else
		failed = make_file(u, &u->upload, e);
	if (failed)
		return failed;
	upload_attach(u->upload, &callbacks, u);
	if (u->bundle)
		upload_end(u->bundle); /* no more of it can come */
	begin_flow(u);
	return 0;
}

int upload_call_open_bundle(struct upload_call *u, struct err *e)
{
	int failed = u->kind->check_owner(u, e);

	if (!failed)
		failed = make_file(u, &u->bundle, e);
	if (failed)
		return failed;
	upload_attach(u->bundle, &bundle_callbacks, u);
	begin_flow(u);
	return 0;
}

int upload_call_move(const struct upload_call *u, const struct upload *upload, const char *name,
		     mode_t mode, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	const char *from = upload_path(upload);
	int failed = computation_path(u->computation, name, &path, e);

	if (failed)
		return failed;
	if (chmod(from, mode) < 0)
		return err_errno(e, "chmod '%s'", from);
	if (renameat2(AT_FDCWD, from, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(e, ERR_INVALID, "%s is the name of something that is here already",
			       log_quote(name).text);
	return err_errno(e, "put '%s' in its place", name);
}

void upload_call_set_placing(struct upload_call *u, bool placing)
{
	u->asset->placing = placing;
	if (placing)
		u->computation->placing++;
	else
		u->computation->placing--;
}

void upload_call_placed(struct upload_call *u)
{
	const struct uploads_config *config = &u->uploads->config;
	enum upload_asset asset = u->kind->asset;
	uint64_t size = upload_size(u->upload);

	if (u->kind->placed)
		u->kind->placed(u);
	CLEANUP(free) char *name = TAKE_PTR(u->filename);
	u->asset->received = true;
	upload_free(TAKE_PTR(u->asset->kept));
	upload_call_finish(u, NULL);
	config->callbacks->arrived(config->data, asset, name, size);
}

/* ---- for the kinds ---- */

bool upload_call_is_hinted(const struct upload_call *u, const struct asset *a)
{
	return !u->access.has_digest || memcmp(u->access.digest, a->hash->data, SHA3_256_LEN) == 0;
}

int upload_call_metadata(const struct upload_call *u, const char *key, const char **text,
			 struct err *e)
{
	const struct rpc_metadata *m = rpc_call_metadata(u->call);

	if (rpc_metadata_count(m, key) > 1)
		return err_set(e, ERR_INVALID, "%s: metadata %s: more than once", u->kind->method,
			       key);
	*text = rpc_metadata_text(m, key, 0);
	return 0;
}
