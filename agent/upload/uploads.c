/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/upload/uploads.h"

#include "agent/upload/restoring.h"
#include "agent/upload/upload_call.h"
#include "common/rpc/wire.h"

#include <stdlib.h>

static const struct upload_kind *const kinds[] = {
	[UPLOAD_ALGORITHM] = &upload_algorithm,
	[UPLOAD_DATASET] = &upload_dataset,
};

void uploads_init(struct uploads *uploads, const struct uploads_config *config)
{
	*uploads = (struct uploads){ .config = *config };
	TAILQ_INIT(&uploads->waiting);
}

void uploads_close(struct uploads *uploads, const char *why)
{
	struct upload_call *u, *next;
	struct err e;

	err_set(&e, ERR_ABORTED, "%s", why);
	restoring_stop(&uploads->retained);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i]->stop_placing)
			kinds[i]->stop_placing(uploads, &e);
	for (u = LIST_FIRST(&uploads->calls); u; u = next) {
		next = LIST_NEXT(u, link);
		if (u->stage != UPLOAD_UNPACKING) /* that finds out at its end */
			upload_call_finish(u, &e);
	}
}

void uploads_drop_kept(struct computation *c)
{
	upload_free(TAKE_PTR(c->algorithm.kept));
	for (size_t i = 0; i < c->dataset_count; i++)
		upload_free(TAKE_PTR(c->datasets[i].kept));
}

/* ---- for those who watch ---- */

/* One that several datasets could be counts as the first of them that is missing. */
static const struct asset *about(const struct upload_call *u)
{
	const struct computation *c = u->computation;

	for (size_t i = 0; i < c->dataset_count && !u->asset; i++)
		if (u->may_be[i] && !c->datasets[i].received && !c->datasets[i].placing)
			return &c->datasets[i];
	return u->asset;
}

bool uploads_progress(const struct uploads *uploads, const struct asset *a,
		      struct upload_progress *progress)
{
	const struct upload_call *u;

	if (a->received)
		return false;
	LIST_FOREACH(u, &uploads->calls, link) {
		if (!u->upload || about(u) != a)
			continue;
		progress->received = upload_size(u->upload);
		progress->expected = u->access.size >= progress->received &&
						     u->access.size <= uploads->config.asset_max
					     ? u->access.size
					     : 0;
		progress->waits = u->stage == UPLOAD_CUT;
		return true;
	}
	if (!a->kept)
		return false;
	*progress = (struct upload_progress){ .received = upload_size(a->kept), .waits = true };
	return true;
}

/* ---- the start ---- */

/* A call that has not shown yet that it may upload costs a stranger nothing: the oldest of those
 * makes room, so that they cannot keep the owners out. */
static bool drop_stranger(struct uploads *uploads)
{
	struct upload_call *u, *oldest = NULL;
	struct err e;

	LIST_FOREACH(u, &uploads->calls, link)
		if (u->stage == UPLOAD_BEGUN)
			oldest = u; /* the newest stands first */
	if (!oldest)
		return false;
	err_set(&e, ERR_EXHAUSTED, "too many uploads were begun, and nothing of this one came");
	upload_call_finish(oldest, &e);
	return true;
}

static int begin(struct uploads *uploads, const struct upload_kind *kind, struct computation *c,
		 struct rpc_call *call, struct err *e)
{
	const struct uploads_config *config = &uploads->config;
	struct upload_call *u;
	int failed = config->callbacks->expects(config->data, kind->asset, e);

	if (failed)
		return err_wrap(e, "%s", kind->method);
	if (uploads->count >= UPLOADS_MAX && !drop_stranger(uploads))
		return err_set(e, ERR_EXHAUSTED, "%s: %d uploads are under way, try again later",
			       kind->method, UPLOADS_MAX);
	u = upload_call_new(uploads, kind, c, call);
	if (!u)
		return err_nomem(e);
	failed = access_read(call, kind->role, config->role_signature, config->challenges,
			     &u->access, e);
	if (!failed)
		failed = kind->read_metadata(u, e);
	if (failed) {
		upload_call_unref(u);
		return failed;
	}
	LIST_INSERT_HEAD(&uploads->calls, u, link);
	uploads->count++;
	u->refs++; /* for uploads_closed() */
	rpc_call_set_user(call, u);
	return 0;
}

void uploads_start(struct uploads *uploads, enum upload_asset asset, struct computation *c,
		   struct rpc_call *call)
{
	struct err e;

	if (begin(uploads, kinds[asset], c, call, &e) < 0)
		rpc_call_finish(call, &e);
}

/* ---- the bytes ---- */

/* AlgoRequest{algorithm=1, requirements=2}, DataRequest{dataset=1, filename=2}. */
enum { FIELD_ASSET = 1, FIELD_SECOND = 2 };

/* The fields where they lie in the message; of several of a kind the last counts. */
static int parse(const uint8_t *bytes, size_t len, struct span *asset, struct span *second,
		 struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct rpc_wire_field f;

	while (rpc_wire_next(&r, &f)) {
		if (f.number != FIELD_ASSET && f.number != FIELD_SECOND)
			continue;
		if (f.type != RPC_WIRE_BYTES)
			return err_set(e, ERR_INVALID, "message: field %u is not bytes",
				       (unsigned)f.number);
		*(f.number == FIELD_ASSET ? asset : second) = (struct span){ f.bytes, f.len };
	}
	return reader_done(&r) ? 0 : err_set(e, ERR_INVALID, "message: malformed");
}

static int take(struct upload_call *u, struct span asset, struct span second, struct err *e)
{
	bool opens = !u->upload && (u->kind->first_message_tells || asset.len > 0);
	int failed = u->kind->take_field(u, second, asset.len > 0, e);

	return !failed && opens ? upload_call_open(u, e) : failed;
}

void uploads_bytes(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	struct upload_call *u = rpc_call_user(call);
	struct span asset = { NULL, 0 }, second = { NULL, 0 };
	struct err e;

	if (!u || !rpc_call_is_open(call)) {
		free(bytes);
		return;
	}
	if (parse(bytes, len, &asset, &second, &e) < 0 || take(u, asset, second, &e) < 0) {
		free(bytes);
		upload_call_finish(u, &e);
		return;
	}
	struct upload *into = asset.len > 0 ? u->upload : u->bundle;
	if (!into || (asset.len == 0 && u->upload)) {
		free(bytes);
		return;
	}
	if (asset.len > 0)
		upload_feed(into, bytes, asset.bytes, asset.len);
	else
		upload_feed(into, bytes, second.bytes, second.len);
	if (upload_failure(into, &e) < 0) {
		upload_call_finish(u, &e);
	} else if (upload_call_is_full(u)) {
		u->stage = UPLOAD_PAUSED;
		rpc_call_pause(call);
	}
}

void uploads_half_close(struct rpc_call *call)
{
	struct upload_call *u = rpc_call_user(call);
	struct err e;
	int failed = 0;

	if (!u || !rpc_call_is_open(call))
		return;
	if (u->stage == UPLOAD_BEGUN && u->kind->first_message_tells)
		failed = err_set(&e, ERR_INVALID, "%s: the call ended without a message",
				 u->kind->method);
	else if (!u->upload)
		failed = upload_call_open(u, &e);
	if (failed) {
		upload_call_finish(u, &e);
		return;
	}
	u->stage = UPLOAD_WHOLE;
	upload_end(u->upload);
}

void uploads_closed(struct rpc_call *call)
{
	struct upload_call *u = rpc_call_user(call);

	if (!u)
		return;
	upload_call_cut(u);
	upload_call_unref(u);
}
