/* SPDX-License-Identifier: Apache-2.0 */
/* Algo and Data: the way of the bytes. */
#include "agent.pb-c.h"
#include "agent/core/service.h"
#include "agent/upload/upload_call.h"
#include "common/base/log.h"
#include "common/rpc/wire.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

/* AlgoRequest{algorithm=1, requirements=2}, DataRequest{dataset=1, filename=2}. */
enum { FIELD_ASSET = 1, FIELD_SECOND = 2 };

struct piece {
	const uint8_t *asset, *second;
	size_t asset_len, second_len;
};

static void unlink_call(struct upload_call *u)
{
	if (u->link) {
		*u->link = u->next;
		if (u->next)
			u->next->link = u->link;
	}
	u->link = NULL;
	u->next = NULL;
}

static void call_free(struct upload_call *u)
{
	bool last;

	unlink_call(u);
	last = !u->agent->uploads;
	access_done(&u->access);
	writer_done(&u->requirements);
	upload_free(u->upload);
	free(u->filename);
	computation_unref(u->computation);
	rpc_call_unref(u->call);
	free(u);
	if (last)
		malloc_trim(0); /* see main.c */
}

/* Freed by whoever comes last: the call's end, or that of work on its upload. */
static void call_free_if_over(struct upload_call *u)
{
	if (u->closed && !u->upload && !u->placing && !u->finishing)
		call_free(u);
}

void upload_call_finish(struct upload_call *u, const struct err *e)
{
	const Agent__AlgoResponse algo = AGENT__ALGO_RESPONSE__INIT;
	const Agent__DataResponse data = AGENT__DATA_RESPONSE__INIT;

	unlink_call(u);
	if (u->upload)
		upload_free(TAKE_PTR(u->upload));
	u->finishing = true; /* closed() may come from within */
	if (e)
		rpc_call_finish(u->call, e);
	else
		rpc_call_reply(u->call, u->is_algo ? &algo.base : &data.base);
	u->finishing = false;
	call_free_if_over(u);
}

void agent_close_calls(struct agent *agent, const char *why)
{
	struct upload_call *next;
	struct err e;

	err_set(&e, ERR_ABORTED, "%s", why);
	for (struct upload_call *u = agent->uploads; u; u = next) {
		next = u->next;
		if (!u->placing) /* else unpacked() finds out */
			upload_call_finish(u, &e);
	}
}

/* ---- the start ---- */

static size_t count_open(const struct agent *agent)
{
	size_t count = 0;

	for (const struct upload_call *u = agent->uploads; u; u = u->next)
		count++;
	return count;
}

/* A call that has not shown yet that it may upload costs a stranger nothing: the eldest of those
 * makes room, lest they keep the owners out. */
static bool drop_stranger(struct agent *agent)
{
	struct upload_call *eldest = NULL;
	struct err e;

	for (struct upload_call *u = agent->uploads; u; u = u->next) {
		if (!u->upload && !u->placing)
			eldest = u; /* the newest stands first */
	}
	if (!eldest)
		return false;
	err_set(&e, ERR_EXHAUSTED, "too many uploads were begun, and nothing of this one came");
	upload_call_finish(eldest, &e);
	return true;
}

static int begin(struct agent *agent, struct rpc_call *call, bool is_algo,
		 struct upload_call **made, struct err *e)
{
	const char *what = is_algo ? "Algo" : "Data";
	struct upload_call *u;
	int failed;

	if (!state_takes(agent->state, is_algo ? EVENT_ALGORITHM : EVENT_DATASET))
		return err_set(e, ERR_PRECONDITION, "%s: not expected in state %s", what,
			       state_name(agent->state));
	if (count_open(agent) >= AGENT_UPLOADS_MAX && !drop_stranger(agent))
		return err_set(e, ERR_EXHAUSTED, "%s: %d uploads are under way, try again later",
			       what, AGENT_UPLOADS_MAX);
	u = calloc(1, sizeof(*u));
	if (!u)
		return err_nomem(e);
	u->agent = agent;
	u->is_algo = is_algo;
	u->computation = computation_ref(agent->computation);
	u->call = rpc_call_ref(call);
	u->requirements = writer_up_to(REQUIREMENTS_BYTES_MAX);
	failed = access_read(call, is_algo ? PROOF_ROLE_ALGORITHM : PROOF_ROLE_DATA,
			     agent->config->role_signature, &agent->challenges, &u->access, e);
	if (!failed)
		failed = upload_check_metadata(u, e);
	if (failed) {
		call_free(u);
		return failed;
	}
	*made = u;
	return 0;
}

static void start(struct rpc_call *call, bool is_algo)
{
	struct agent *agent = rpc_call_service(call);
	struct upload_call *u = NULL;
	struct err e;

	if (begin(agent, call, is_algo, &u, &e) < 0) {
		rpc_call_finish(call, &e);
		return;
	}
	u->next = agent->uploads;
	if (u->next)
		u->next->link = &u->next;
	u->link = &agent->uploads;
	agent->uploads = u;
	rpc_call_set_user(call, u);
}

void service_algo_start(struct rpc_call *call)
{
	start(call, true);
}

void service_data_start(struct rpc_call *call)
{
	start(call, false);
}

/* ---- the bytes ---- */

static void on_room(void *data)
{
	struct upload_call *u = data;
	struct err e;

	if (upload_failure(u->upload, &e) < 0) {
		upload_call_finish(u, &e);
		return;
	}
	if (!u->paused)
		return;
	u->paused = false;
	rpc_call_resume(u->call);
}

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

static void on_ended(void *data)
{
	struct upload_call *u = data;

	if (u->half_closed) {
		upload_place(u);
		return;
	}
	keep(u);
	unlink_call(u);
	call_free_if_over(u);
}

static const struct upload_callbacks callbacks = { .room = on_room, .ended = on_ended };

static int open_upload(struct upload_call *u, struct err *e)
{
	struct asset *a = u->asset;
	uint64_t kept = a && a->kept ? upload_size(a->kept) : 0;
	int failed = 0;

	if (u->access.has_offset && u->access.offset != kept)
		return err_set(e, ERR_PRECONDITION,
			       "%s %llu: %llu bytes are kept; ask Status and go on there",
			       PROOF_OFFSET_KEY, (unsigned long long)u->access.offset,
			       (unsigned long long)kept);
	if (u->access.has_offset && kept > 0)
		u->upload = TAKE_PTR(a->kept);
	else
		failed = computation_upload(u->computation, u->agent->loop,
					    u->agent->config->asset_max, &u->upload, e);
	if (failed)
		return failed;
	upload_attach(u->upload, &callbacks, u);
	rpc_call_bulk(u->call);
	return 0;
}

static int parse(const uint8_t *bytes, size_t len, struct piece *p, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct rpc_wire_field f;

	*p = (struct piece){ 0 };
	while (rpc_wire_next(&r, &f)) {
		if (f.number != FIELD_ASSET && f.number != FIELD_SECOND)
			continue;
		if (f.type != RPC_WIRE_BYTES)
			return err_set(e, ERR_INVALID, "message: field %u is not bytes",
				       (unsigned)f.number);
		if (f.number == FIELD_ASSET) {
			p->asset = f.bytes;
			p->asset_len = f.len;
		} else {
			p->second = f.bytes;
			p->second_len = f.len;
		}
	}
	return reader_done(&r) ? 0 : err_set(e, ERR_INVALID, "message: malformed");
}

static int take_filename(struct upload_call *u, const struct piece *p, struct err *e)
{
	if (u->filename) {
		if (p->second_len != strlen(u->filename) ||
		    memcmp(p->second, u->filename, p->second_len) != 0)
			return err_set(e, ERR_INVALID,
				       "Data: the file name changes in the midst "
				       "of an upload");
		return 0;
	}
	if (p->second_len == 0)
		return err_set(e, ERR_INVALID, "Data: every message must name the file");
	if (memchr(p->second, 0, p->second_len))
		return err_set(e, ERR_INVALID, "Data: a zero byte in the file name");
	u->filename = strndup((const char *)p->second, p->second_len);
	return u->filename ? 0 : err_nomem(e);
}

static int take_requirements(struct upload_call *u, const struct piece *p, struct err *e)
{
	if (p->second_len == 0)
		return 0;
	if (p->asset_len > 0 || u->upload)
		return err_set(e, ERR_INVALID,
			       "Algo: requirements come before the algorithm, in "
			       "messages of their own");
	writer_bytes(&u->requirements, p->second, p->second_len);
	if (u->requirements.bad)
		return err_set(e, ERR_EXHAUSTED, "Algo: requirements over %d bytes",
			       REQUIREMENTS_BYTES_MAX);
	return 0;
}

/* Takes the message in; the bytes of the asset are what is left to feed. */
static int take(struct upload_call *u, const struct piece *p, struct err *e)
{
	int failed = u->is_algo ? take_requirements(u, p, e) : take_filename(u, p, e);

	if (failed || u->upload)
		return failed;
	if (u->is_algo && p->asset_len == 0)
		return 0;
	failed = upload_check_owner(u, e);
	return failed ? failed : open_upload(u, e);
}

void service_upload_bytes(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	struct upload_call *u = rpc_call_user(call);
	struct piece p;
	struct err e;

	if (!u || !rpc_call_is_open(call)) {
		free(bytes);
		return;
	}
	if (parse(bytes, len, &p, &e) < 0 || take(u, &p, &e) < 0) {
		free(bytes);
		upload_call_finish(u, &e);
		return;
	}
	if (!u->upload || p.asset_len == 0) {
		free(bytes);
		return;
	}
	upload_feed(u->upload, bytes, p.asset, p.asset_len);
	if (upload_failure(u->upload, &e) < 0) {
		upload_call_finish(u, &e);
	} else if (upload_is_full(u->upload)) {
		u->paused = true;
		rpc_call_pause(call);
	}
}

void service_upload_half_close(struct rpc_call *call)
{
	struct upload_call *u = rpc_call_user(call);
	struct err e;
	int failed = 0;

	if (!u || !rpc_call_is_open(call))
		return;
	if (!u->upload && !u->is_algo)
		failed = err_set(&e, ERR_INVALID, "Data: the call ended without a message");
	if (!u->upload && u->is_algo) {
		failed = upload_check_owner(u, &e);
		if (!failed)
			failed = open_upload(u, &e);
	}
	if (failed) {
		upload_call_finish(u, &e);
		return;
	}
	u->half_closed = true;
	upload_end(u->upload);
}

void service_upload_closed(struct rpc_call *call)
{
	struct upload_call *u = rpc_call_user(call);

	if (!u)
		return;
	u->closed = true;
	if (u->upload && !u->half_closed)
		upload_end(u->upload); /* on_ended() keeps what came */
	else
		call_free_if_over(u);
}
