/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/call.h"

#include "common/rpc/conn.h"
#include "common/rpc/job.h"
#include "common/rpc/tls_conn.h"

#include <stdlib.h>
#include <string.h>

struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id)
{
	struct rpc_call *call = calloc(1, sizeof(*call));
	struct call_request *request = calloc(1, sizeof(*request));

	if (!call || !request) {
		free(call);
		free(request);
		return NULL;
	}
	call->refs = 1;
	call->conn = conn;
	call->peer = conn->peer;
	call->peer->refs++;
	call->peer->calls++;
	call->loop = conn->server->hub.loop;
	call->stream_id = stream_id;
	call->request = request;
	call->inbox.message_max = conn->server->limits.message_max;
	call->last_in = call->last_out = uv_now(call->loop);
	TAILQ_INSERT_TAIL(&conn->calls, call, others);
	return call;
}

void call_close(struct rpc_call *call)
{
	struct rpc_conn *conn = call->conn;

	if (!conn)
		return;
	call_drop_input(call);
	conn->weight -= call->weight;
	conn->server->buffered -= call->weight;
	TAILQ_REMOVE(&conn->calls, call, others);
	if (TAILQ_EMPTY(&conn->calls))
		conn->quiet_since = uv_now(call->loop);
	if (call->stream_id > 0 && conn->transport.stage != TRANSPORT_CLOSED)
		nghttp2_session_set_stream_user_data(conn->h2, call->stream_id, NULL);
	call->conn = NULL;
	call->is_gone = true;
	deadline_stop(TAKE_PTR(call->deadline));
	outbox_done(&call->outbox);
	if (call->handler && call->handler->closed)
		call->handler->closed(call);
	rpc_call_unref(call);
}

struct rpc_call *rpc_call_ref(struct rpc_call *call)
{
	call->refs++;
	return call;
}

void rpc_call_unref(struct rpc_call *call)
{
	if (!call || --call->refs > 0)
		return;
	call->peer->calls--;
	peer_unref(call->peer);
	free(call->request);
	inbox_done(&call->inbox);
	free(call->single.bytes);
	outbox_done(&call->outbox);
	rpc_metadata_done(&call->metadata);
	rpc_metadata_done(&call->headers);
	rpc_metadata_done(&call->trailers);
	free(call);
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
	return &call->metadata;
}

const char *rpc_call_peer(const struct rpc_call *call)
{
	return call->peer->name;
}

bool rpc_call_is_tls(const struct rpc_call *call)
{
	return call->peer->is_tls;
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
	if (!call->conn)
		return err_set(e, ERR_CANCELLED, "TLS exporter: the call is over");
	return tls_conn_exporter(call->conn->transport.tls, &x, e);
}

struct rpc_prologue_run *rpc_call_prologue(const struct rpc_call *call)
{
	return call->conn ? call->conn->transport.run : NULL;
}

bool rpc_call_is_open(const struct rpc_call *call)
{
	return call->conn && !call->is_finished && !call->is_gone;
}

bool rpc_call_is_finished(const struct rpc_call *call)
{
	return call->sent_trailers;
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
