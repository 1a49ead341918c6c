/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/call.h"

#include "common/rpc/call_state.h"
#include "common/rpc/conn.h"
#include "common/rpc/job.h"
#include "common/rpc/tls_conn.h"

#include <stdlib.h>
#include <string.h>

static void on_account(struct h2_stream *s)
{
	call_account((struct rpc_call *)s);
}

static void on_fail(struct h2_stream *s, const struct err *e)
{
	call_cut((struct rpc_call *)s, e);
}

static void on_writable(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;

	LOG_ABOUT(&call->about);

	if (s->is_open && call->handler->writable)
		call->handler->writable(call);
}

void call_request_free(struct call_request *request)
{
	if (!request)
		return;
	h2_block_done(&request->block);
	free(request->long_path);
	free(request);
}

void call_freed(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;

	LOG_ABOUT(&call->about);
	/* Its handler had nothing more to say of it. */
	call_tell_end(call, s->status.code != ERR_OK
				    ? &s->status
				    : &(struct err){ ERR_CANCELLED, "the caller left" });
	if (call->local.answered)
		call_local_end(call, NULL, &(struct err){ ERR_CANCELLED, "nobody answered" });
	call_free_facts(call);
	call->peer->calls--;
	peer_unref(call->peer);
	call_request_free(call->request);
	h2_stream_done(s);
	free(call);
}

static const struct h2_stream_user call_user = {
	.header = call_header,
	.headers = call_headers,
	.ended = h2_stream_ended,
	.account = on_account,
	.came = call_came,
	.message = call_message,
	.no_more = call_no_more,
	.fail = on_fail,
	.trailers = call_trailers,
	.sent = call_sent,
	.writable = on_writable,
	.freed = call_freed,
	.input_name = "request",
	.takes = "takes",
};

struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id)
{
	struct rpc_call *call = calloc(1, sizeof(*call));
	struct call_request *request = calloc(1, sizeof(*request));

	if (!call || !request) {
		free(call);
		free(request);
		return NULL;
	}
	call->h2.refs = 1;
	call->h2.user = &call_user;
	call->h2.limits = conn->h2.limits;
	call->h2.inbox.message_max = conn->h2.limits->message_max;
	call->peer = conn->peer;
	call->peer->refs++;
	call->peer->calls++;
	call->loop = conn->h2.transport.hub->loop;
	call->request = request;
	call->since = uv_now(call->loop);
	h2_stream_join(&call->h2, &conn->h2, stream_id);
	return call;
}

void call_close(struct rpc_call *call)
{
	struct rpc_conn *conn = call_conn(call);

	if (!conn)
		return;
	LOG_ABOUT(&call->about);
	h2_stream_drop_input(&call->h2);
	conn->weight -= call->weight;
	conn->server->buffered -= call->weight;
	room_call_leave(call);
	h2_stream_leave(&call->h2);
	call->h2.is_open = false;
	deadline_stop(TAKE_PTR(call->h2.deadline));
	outbox_done(&call->h2.outbox);
	if (call->handler && call->handler->closed)
		call->handler->closed(call);
	rpc_call_unref(call);
}

struct rpc_call *rpc_call_ref(struct rpc_call *call)
{
	h2_stream_ref(&call->h2);
	return call;
}

void rpc_call_unref(struct rpc_call *call)
{
	if (call)
		h2_stream_unref(&call->h2);
}

void *rpc_call_service(const struct rpc_call *call)
{
	return call->service;
}

void rpc_call_set_user(struct rpc_call *call, void *user)
{
	call->user = user;
}

void *rpc_call_user(const struct rpc_call *call)
{
	return call->user;
}

void rpc_call_is_about(struct rpc_call *call, enum log_about_field field, const char *text)
{
	if (log_about_put(&call->about, field, text))
		log_about_add(field, text);
}

const struct log_about *rpc_call_about(const struct rpc_call *call)
{
	return &call->about;
}

const struct rpc_method *rpc_call_method(const struct rpc_call *call)
{
	return &call->handler->method;
}

uv_loop_t *rpc_call_loop(const struct rpc_call *call)
{
	return call->loop;
}

const struct rpc_metadata *rpc_call_metadata(const struct rpc_call *call)
{
	return &call->h2.metadata;
}

const char *rpc_call_peer(const struct rpc_call *call)
{
	return call->peer->name;
}

struct rpc_source rpc_call_source(const struct rpc_call *call)
{
	return peer_source(call->peer);
}

struct rpc_identity rpc_call_identity(const struct rpc_call *call)
{
	const struct peer *peer = call->peer;

	return (struct rpc_identity){ .has_uid = peer->has_uid,
				      .uid = peer->uid,
				      .gid = peer->gid,
				      .subject = peer->subject,
				      .issuer = peer->issuer,
				      .spiffe = peer->spiffe,
				      .key = *peer->fingerprint ? peer->fingerprint : NULL };
}

bool rpc_call_is_tls(const struct rpc_call *call)
{
	return call->peer->is_tls;
}

uint32_t rpc_call_group(const struct rpc_call *call)
{
	return call->peer->group;
}

const uint8_t *rpc_call_peer_spki(const struct rpc_call *call, size_t *len)
{
	*len = call->peer->spki_len;
	return call->peer->spki;
}

int rpc_call_exporter(const struct rpc_call *call, const char *label, const void *context,
		      size_t context_len, uint8_t *out, size_t len, struct err *e)
{
	const struct tls_export x = { label, context, context_len, out, len };

	if (!call->peer->is_tls)
		return err_set(e, ERR_PRECONDITION, "TLS exporter: the connection has no TLS");
	if (!call->h2.conn)
		return err_set(e, ERR_CANCELLED, "TLS exporter: the call is over");
	return tls_conn_exporter(call->h2.conn->transport.tls, &x, e);
}

struct rpc_prologue_run *rpc_call_prologue(const struct rpc_call *call)
{
	return call->h2.conn ? call->h2.conn->transport.run : NULL;
}

bool rpc_call_is_open(const struct rpc_call *call)
{
	return call->h2.is_open;
}

struct call_job {
	struct rpc_call *call;
	void (*work)(void *data);
	void (*done)(struct rpc_call *call, void *data);
	void *data;
};

static void job_work(void *data)
{
	struct call_job *job = data;

	job->work(job->data);
}

static void job_done(void *data)
{
	struct call_job *job = data;

	job->done(job->call, job->data);
	rpc_call_unref(job->call);
	free(job);
}

int rpc_call_job(struct rpc_call *call, void (*work)(void *data),
		 void (*done)(struct rpc_call *call, void *data), void *data, struct err *e)
{
	struct call_job *job = malloc(sizeof(*job));

	if (!job)
		return err_nomem(e);
	*job = (struct call_job){ rpc_call_ref(call), work, done, data };
	if (rpc_job_start(call->loop, job_work, job_done, job, e) < 0) {
		rpc_call_unref(call);
		free(job);
		return err_code(e);
	}
	return 0;
}
