/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Result: results.zip to a consumer of the manifest, once.
 *
 * Once means delivered: the consumer's stack has acknowledged everything up to the trailers. Until
 * then the same consumer may try again, which ends an earlier attempt that is still under way.
 */
#include "agent.pb-c.h"
#include "agent/computation/refusal.h"
#include "agent/core/agent_run.h"
#include "agent/core/service.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { RESULT_CHUNK = 1 << 20 };

struct result_call {
	struct agent *agent;
	struct computation *computation;
	struct consumer *consumer;
	int fd;
	uint64_t offset, size;
	bool reading; /* a job is at it */
};

/* One piece read in the pool. */
struct result_read {
	int fd;
	uint64_t offset;
	uint8_t *bytes;
	size_t len;
	int failed;
	struct err e;
};

static void read_piece(void *data)
{
	struct result_read *r = data;
	size_t done = 0;

	while (done < r->len) {
		ssize_t n = pread(r->fd, r->bytes + done, r->len - done, (off_t)(r->offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r->failed = n < 0 ? err_errno(&r->e, "results.zip")
					  : err_set(&r->e, ERR_DATA_LOSS, "results.zip is short");
			return;
		}
		done += (size_t)n;
	}
}

static void send_more(struct rpc_call *call);

static void read_free(struct result_read *r)
{
	close(r->fd);
	free(r->bytes);
	free(r);
}

static void piece_read(struct rpc_call *call, void *data)
{
	struct result_read *r = data;
	struct result_call *rc = rpc_call_is_open(call) ? rpc_call_user(call) : NULL;
	struct err e;

	if (!rc) {
		read_free(r);
		return;
	}
	rc->reading = false;
	if (r->failed) {
		rpc_call_finish(call, &r->e);
	} else {
		rc->offset += r->len;
		if (rpc_call_send_bytes(call, NULL, 1, TAKE_PTR(r->bytes), r->len, &e) < 0)
			rpc_call_finish(call, &e);
		else
			send_more(call);
	}
	read_free(r);
}

static int read_next(struct rpc_call *call, struct result_call *rc, struct err *e)
{
	struct result_read *r = calloc(1, sizeof(*r));
	uint64_t left = rc->size - rc->offset;
	int failed;

	if (!r)
		return err_nomem(e);
	r->len = left < RESULT_CHUNK ? (size_t)left : RESULT_CHUNK;
	r->offset = rc->offset;
	r->bytes = malloc(r->len);
	r->fd = fcntl(rc->fd, F_DUPFD_CLOEXEC, 0); /* the call may close before the job ends */
	if (!r->bytes)
		failed = err_nomem(e);
	else if (r->fd < 0)
		failed = err_errno(e, "results.zip");
	else
		failed = rpc_call_job(call, read_piece, piece_read, r, e);
	if (failed) {
		if (r->fd >= 0)
			close(r->fd);
		free(r->bytes);
		free(r);
		return failed;
	}
	rc->reading = true;
	return 0;
}

static void send_more(struct rpc_call *call)
{
	struct result_call *rc = rpc_call_user(call);
	struct err e;

	if (rc->reading || !rpc_call_is_open(call))
		return;
	if (rc->offset == rc->size) {
		rpc_call_finish(call, NULL);
		return;
	}
	if (rpc_call_queued(call) < RPC_HIGH_WATER && read_next(call, rc, &e) < 0)
		rpc_call_finish(call, &e);
}

void service_result_writable(struct rpc_call *call)
{
	if (rpc_call_user(call))
		send_more(call);
}

static int find_consumer(struct computation *c, const struct access *access,
			 struct consumer **consumer, struct err *e)
{
	struct err ignored;

	for (size_t i = 0; i < c->consumer_count; i++) {
		if (access_verify(access, c->consumers[i].key, c->digests.sha3_256, NULL, NULL,
				  &ignored) == 0) {
			*consumer = &c->consumers[i];
			return 0;
		}
	}
	refusal_not_signed(access, c, "a consumer that the manifest names", NULL, NULL, e);
	return err_wrap(e, "Result");
}

static int open_result(struct agent *agent, struct consumer *consumer, struct result_call **call,
		       struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct result_call *rc;
	int failed = computation_path(agent->computation, "results.zip", &path, e);

	if (failed)
		return failed;
	rc = calloc(1, sizeof(*rc));
	if (!rc)
		return err_nomem(e);
	rc->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (rc->fd < 0) {
		free(rc);
		return err_errno(e, "open '%s'", path);
	}
	rc->agent = agent;
	rc->computation = computation_ref(agent->computation);
	rc->consumer = consumer;
	rc->size = agent->computation->result_size;
	*call = rc;
	return 0;
}

static int no_results(const struct agent *agent, struct err *e)
{
	return err_set(e, ERR_PRECONDITION, "Result: there are no results in state %s",
		       state_name(agent->state));
}

static int begin(struct agent *agent, struct rpc_call *call, struct err *e)
{
	struct consumer *consumer = NULL;
	struct access access = { 0 };
	struct result_call *rc = NULL;
	struct err superseded;
	char size[24];
	int failed;

	/* Who calls comes first, so that a proof which came too early is used up: whoever read it on its way can't bring it when
	 * there are results. */
	if (!agent->computation)
		return no_results(agent, e);
	failed = access_read(call, PROOF_ROLE_CONSUMER, agent->config->role_signature,
			     &agent->challenges, &access, e);
	if (!failed)
		failed = find_consumer(agent->computation, &access, &consumer, e);
	access_done(&access);
	if (failed)
		return failed;
	if (agent->state != STATE_CONSUMING_RESULTS && agent->state != STATE_COMPLETE)
		return no_results(agent, e);
	if (consumer->fetched)
		return err_set(e, ERR_PRECONDITION,
			       "Result: this consumer has fetched the result "
			       "already");
	failed = open_result(agent, consumer, &rc, e);
	if (failed)
		return failed;
	rpc_call_set_user(call, rc);
	rpc_call_prove(call);
	if (consumer->transfer) {
		err_set(&superseded, ERR_ABORTED, "Result: the same consumer called again");
		rpc_call_finish(consumer->transfer, &superseded);
	}
	consumer->transfer = call;
	snprintf(size, sizeof(size), "%" PRIu64, rc->size);
	return rpc_call_add_header(call, "file-size", size, e);
}

void service_result_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (begin(rpc_call_service(call), call, &e) < 0)
		rpc_call_finish(call, &e);
	else
		send_more(call);
}

void service_result_delivered(struct rpc_call *call)
{
	struct result_call *rc = rpc_call_user(call);

	/* A call that was superseded or refused is not the transfer. */
	if (!rc || rc->computation->over || rc->consumer->transfer != call ||
	    rc->consumer->fetched || rc->offset != rc->size)
		return;
	agent_say(rc->agent, "INFO", "the result was delivered to consumer %zu",
		  (size_t)(rc->consumer - rc->computation->consumers));
	agent_run_result_fetched(rc->agent, rc->consumer);
}

void service_result_closed(struct rpc_call *call)
{
	struct result_call *rc = rpc_call_user(call);

	if (!rc)
		return;
	if (rc->consumer->transfer == call)
		rc->consumer->transfer = NULL;
	computation_unref(rc->computation);
	close(rc->fd);
	free(rc);
}
